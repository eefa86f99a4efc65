//! Report files: checked before anything runs, written whole or not at all.

use std::{
    collections::BTreeSet,
    io::{ErrorKind, Write},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use verify_engine::whole::Unfinished;
use verify_model::run::Run;
use verify_reports::Format;

use crate::output::Lost;

/// Name of the format that the terminal shows.
pub(crate) const TEXT: &str = "text";
/// Name of the format that holds all that was captured, word for word: for its user alone, as the record.
const RECORD: &str = "jsonl";

/// Longest chain of links that is followed. *Source*: `path_resolution(7)`.
const LINKS: usize = 40;

/// Holds one report to write.
pub(crate) struct Target {
    format: &'static dyn Format,
    path: PathBuf,
}

impl Target {
    /// Reads every `FORMAT=PATH` and makes sure that the files can be written.
    ///
    /// *Errors*: unknown format, a path that cannot be written, or one path for two reports; said
    /// before the run starts.
    pub(crate) fn parse_all(texts: &[String]) -> anyhow::Result<Vec<Self>> {
        let mut targets = Vec::new();
        let mut places = BTreeSet::new();
        for text in texts {
            let target = Self::parse(text)?;
            let place = place_of(&target.path);
            let folder = folder_of(&place).canonicalize().unwrap_or_default();
            if !places.insert(folder.join(place.file_name().unwrap_or_default())) {
                bail!("two reports would be written to {}", target.path.display());
            }
            targets.push(target);
        }
        Ok(targets)
    }

    /// Names a file for one report; it is not tried.
    pub(crate) fn new(format: &'static dyn Format, path: &Path) -> Self {
        Self { format, path: path.to_path_buf() }
    }

    fn parse(text: &str) -> anyhow::Result<Self> {
        let (format, path) = match text.split_once('=') {
            Some((name, path)) if !path.is_empty() => (format(name)?, path),
            Some((name, _)) => bail!("--report {text}: name a file behind it, as `{name}=PATH`"),
            None => (by_ending(text)?, text),
        };
        if path == "-" {
            let name = format.spec().name;
            bail!("--report writes files; for standard output, take `--format {name}`");
        }
        let target = Self { format, path: PathBuf::from(path) };
        target.probe()?;
        Ok(target)
    }

    /// Tries a temporary file beside the target, so that a long run is not lost at its end.
    fn probe(&self) -> anyhow::Result<()> {
        let shown = self.path.display();
        if self.path.is_dir() || shown.to_string().ends_with('/') {
            bail!("cannot write report {shown}: it is a folder; name a file");
        }
        let place = own_place(&self.path)?;
        if !is_replaceable(&place) {
            return Ok(());
        }
        std::fs::create_dir_all(folder_of(&self.path))
            .with_context(|| format!("cannot write report {shown}: its folder cannot be made"))?;
        // Without a name where the file system can do that: nothing is left by whatever ends us here.
        tempfile::tempfile_in(folder_of(&place)).with_context(|| {
            format!("cannot write report {shown}: its folder does not take files")
        })?;
        Ok(())
    }

    /// Writes the report, all of it or nothing.
    ///
    /// *Errors*: rendering or the disk failed.
    pub(crate) fn write(&self, run: &Run) -> anyhow::Result<()> {
        let bytes = self.format.render(run)?;
        let record = self.format.spec().name == RECORD;
        write_for(&self.path, &bytes, if record { 0o600 } else { 0o644 })
    }

    /// Returns where the report goes.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

/// Finds the one format whose files end as a path does.
///
/// *Errors*: there is none, or there are several.
fn by_ending(path: &str) -> anyhow::Result<&'static dyn Format> {
    let ending = Path::new(path).extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    let fitting = verify_reports::FORMATS.iter().filter(|f| f.spec().extension == ending);
    let fitting: Vec<&'static dyn Format> = fitting.copied().collect();
    match fitting.as_slice() {
        [one] => Ok(*one),
        [] => bail!(
            "--report takes FORMAT=PATH, such as `junit=out/verify.xml`, found `{path}`; {}",
            choices()
        ),
        several => {
            let ways: Vec<String> =
                several.iter().map(|f| format!("`{}={path}`", f.spec().name)).collect();
            bail!("--report {path}: more than one format ends so; write {}", ways.join(" or "))
        }
    }
}

fn choices() -> String {
    let names: Vec<&str> = verify_reports::FORMATS.iter().map(|f| f.spec().name).collect();
    format!("formats are: {}", names.join(", "))
}

/// Finds a format by name.
///
/// *Errors*: there is none of that name.
pub(crate) fn format(name: &str) -> anyhow::Result<&'static dyn Format> {
    verify_reports::find(name)
        .with_context(|| format!("unknown report format `{name}`; {}", choices()))
}

/// Tells whether a path is free or a regular file. Pipes and devices are written to, not replaced,
/// and so is whatever `/dev/stdout` and its like stand for.
fn is_replaceable(path: &Path) -> bool {
    std::fs::metadata(path).map_or(true, |meta| meta.is_file() && !stands_for_another(path))
}

/// Tells whether a path stands for a stream that is open already.
fn stands_for_another(path: &Path) -> bool {
    let is_stream = path.strip_prefix("/dev").is_ok_and(|name| {
        name.starts_with("fd") || name.to_str().is_some_and(|name| name.starts_with("std"))
    });
    is_stream || path.starts_with("/proc")
}

/// Returns the folder of a file; that of a bare name is the current one.
fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Follows links to where a file is, or would be.
fn place_of(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| match path.read_link() {
        Ok(target) => folder_of(path).join(target),
        Err(_) => path.to_path_buf(),
    })
}

/// Writes to something that is not replaced; a pipe that nobody reads is an error at once.
fn write_into(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    let nonblock = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap_or_default();
    let mut open = std::fs::OpenOptions::new().append(true).custom_flags(nonblock).open(path)?;
    rustix::io::ioctl_fionbio(&open, false)?;
    open.write_all(bytes)?;
    Ok(())
}

/// Follows links to where a file is, or would be, once: what is written later is what was looked at.
/// Nobody else may lead it there, by a link, pipe or device that another user put where everybody may put
/// something. *Source*: proc(5), `protected_symlinks`: the kernel's own rule, which following a link by its
/// text goes around.
///
/// *Errors*: somebody does, or a part of the path cannot be looked at.
fn own_place(path: &Path) -> anyhow::Result<PathBuf> {
    let mut path = path.to_path_buf();
    for _ in 0..LINKS {
        for part in path.ancestors().filter(|part| !part.as_os_str().is_empty()) {
            demand_own(part)?;
        }
        let leads = std::fs::symlink_metadata(&path).is_ok_and(|meta| meta.is_symlink());
        if !leads || stands_for_another(&path) {
            return Ok(path);
        }
        let target = path.read_link().with_context(|| format!("cannot read {}", path.display()))?;
        path = folder_of(&path).join(target);
    }
    bail!("cannot write {}: it is a link of a link without end", path.display())
}

/// Demands that nobody else leads one part of a path elsewhere.
fn demand_own(path: &Path) -> anyhow::Result<()> {
    let looked = std::fs::symlink_metadata(path)
        .and_then(|meta| Ok((meta, std::fs::metadata(folder_of(path))?)));
    let (meta, folder) = match looked {
        Ok(both) => both,
        // Nothing is there: whoever writes it says so.
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(());
        }
        Err(error) => {
            return Err(error).with_context(|| {
                format!("cannot write {}: it cannot be looked at", path.display())
            });
        }
    };
    let user = rustix::process::geteuid().as_raw();
    let theirs = meta.uid() != user && meta.uid() != folder.uid();
    if theirs && folder.mode() & 0o002 != 0 && !meta.is_file() && !meta.is_dir() {
        bail!(
            "cannot write {}: user {} put it in a folder that everybody can write, and it leads elsewhere; name a file in a folder of your own",
            path.display(),
            meta.uid()
        );
    }
    Ok(())
}

/// Writes a file as [`write_for`] does, for everybody whom the mask of the user lets read.
///
/// *Errors*: those of [`write_for`].
pub(crate) fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    write_for(path, bytes, 0o644)
}

/// Writes a file whole or not at all; what a link points to is written, and the link stays. A file that
/// was there is afterwards readable for nobody for whom it was not.
///
/// *Errors*: the folder does not take it.
pub(crate) fn write_for(path: &Path, bytes: &[u8], mode: u32) -> anyhow::Result<()> {
    let failed = || Lost(format!("cannot write {}", path.display()));
    let place = own_place(path)?;
    if !is_replaceable(&place) {
        return write_into(&place, bytes).with_context(failed);
    }
    let before = std::fs::metadata(&place).map_or(mode, |meta| meta.mode());
    let written = Unfinished::beside_for(&place, bytes, mode & before);
    written.and_then(Unfinished::place).with_context(failed)
}
