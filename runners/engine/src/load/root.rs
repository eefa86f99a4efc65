//! Where suites and nodes come from: a root folder laid over what is embedded in the binary.
//!
//! Root: the given folder, else the nearest parent with `suites/` and `runners/nodes/`, else the
//! user's and the machine's configuration folder, else the embedded files alone. The chosen root is
//! printed with every run. A file of the root replaces the embedded file of the same name.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::baseline::{BASELINES_DIR, Shelf};

use super::{
    diagnostic::{LoadError, Source},
    embedded::{NODES, SUITES},
};

/// Folder of suites below a root.
pub const SUITES_DIR: &str = "suites";
/// Folder of node files below a root.
pub const NODES_DIR: &str = "runners/nodes";
/// File of waivers below a root.
pub const WAIVERS_FILE: &str = "waivers.toml";
/// Largest suite or node file. *Units*: B.
pub const MAX_FILE: u64 = 16 * 1024 * 1024;

/// Names where suites and nodes come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Root {
    /// Folder; absent where only embedded files are used.
    pub dir: Option<PathBuf>,
    /// The user's own folder, in which a first baseline makes a root; absent where nobody knows.
    pub home: Option<PathBuf>,
}

/// Opens the name of a file that is part of the binary.
pub const EMBEDDED: &str = "embedded:";

/// Holds what the surroundings say about where a root may be.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// Folder that was asked for.
    pub given: Option<PathBuf>,
    /// Current folder.
    pub current: PathBuf,
    /// The user's configuration folder.
    pub config_home: Option<PathBuf>,
}

impl Root {
    /// Chooses the root.
    ///
    /// *Errors*: a folder was asked for and is not one.
    pub fn choose(surroundings: &Surroundings) -> Result<Self, LoadError> {
        let home = surroundings.config_home.as_ref().map(|dir| dir.join("verify"));
        if let Some(given) = &surroundings.given {
            if !is_root(given) {
                let message = format!(
                    "{} is not a root: expected a folder with `{SUITES_DIR}/`, `{NODES_DIR}/` or `{BASELINES_DIR}/` in it",
                    given.display()
                );
                return Err(LoadError::general(message));
            }
            return Ok(Self { dir: Some(given.clone()), home });
        }
        let parents = surroundings.current.ancestors();
        let whole =
            parents.filter(|dir| dir.join(SUITES_DIR).is_dir() && dir.join(NODES_DIR).is_dir());
        let user = home.iter().cloned();
        let machine = std::iter::once(PathBuf::from("/etc/verify"));
        let dir = whole
            .map(Path::to_path_buf)
            .next()
            .or_else(|| user.chain(machine).find(|dir| is_root(dir)));
        Ok(Self { dir, home })
    }

    /// Returns where baselines are read and written: below the root, else below the user's own
    /// folder; never in what is embedded.
    pub fn shelf(&self) -> Option<Shelf> {
        let dir = self.dir.as_ref().or(self.home.as_ref())?;
        Some(Shelf::new(dir.join(BASELINES_DIR)))
    }

    /// Names the root for people.
    pub fn label(&self) -> String {
        self.dir
            .as_ref()
            .map_or_else(|| "embedded in the binary".to_owned(), |dir| dir.display().to_string())
    }

    /// Reads every suite file, by name.
    ///
    /// *Errors*: a file cannot be read or is not text.
    pub fn suites(&self) -> Result<BTreeMap<String, Arc<Source>>, LoadError> {
        whole(self.readable_suites())
    }

    /// Reads every node file, by name.
    ///
    /// *Errors*: a file cannot be read or is not text.
    pub fn nodes(&self) -> Result<BTreeMap<String, Arc<Source>>, LoadError> {
        whole(self.readable_nodes())
    }

    /// Reads the file of waivers, if the root has one; none is embedded.
    ///
    /// *Errors*: the file cannot be read or is not text.
    pub fn waivers(&self) -> Result<Option<Arc<Source>>, LoadError> {
        let Some(dir) = &self.dir else { return Ok(None) };
        let path = dir.join(WAIVERS_FILE);
        match fs::symlink_metadata(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            _ => read(&path)
                .map(|text| Some(Source::new(WAIVERS_FILE, text)))
                .map_err(LoadError::general),
        }
    }

    /// Reads every suite file that can be read, and says what is wrong with the others.
    pub fn readable_suites(&self) -> (BTreeMap<String, Arc<Source>>, LoadError) {
        self.layered(SUITES, SUITES_DIR)
    }

    /// Reads every node file that can be read, and says what is wrong with the others.
    pub fn readable_nodes(&self) -> (BTreeMap<String, Arc<Source>>, LoadError) {
        self.layered(NODES, NODES_DIR)
    }

    fn layered(
        &self,
        embedded: &[(&str, &str)],
        below: &str,
    ) -> (BTreeMap<String, Arc<Source>>, LoadError) {
        let mut files: BTreeMap<String, Arc<Source>> = embedded
            .iter()
            .map(|(name, text)| {
                ((*name).to_owned(), Source::new(format!("{EMBEDDED}{below}/{name}.toml"), *text))
            })
            .collect();
        let mut error = LoadError::default();
        let Some(dir) = &self.dir else { return (files, error) };
        let paths = match toml_files(&dir.join(below)) {
            Ok(paths) => paths,
            Err(message) => return (files, LoadError::general(message)),
        };
        for path in paths {
            let name =
                path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
            match read(&path) {
                Ok(text) => {
                    files.insert(name.clone(), Source::new(format!("{below}/{name}.toml"), text));
                }
                Err(message) => error.general.push(message),
            }
        }
        (files, error)
    }
}

fn whole(
    (files, error): (BTreeMap<String, Arc<Source>>, LoadError),
) -> Result<BTreeMap<String, Arc<Source>>, LoadError> {
    if error.is_empty() { Ok(files) } else { Err(error) }
}

fn is_root(dir: &Path) -> bool {
    [SUITES_DIR, NODES_DIR, BASELINES_DIR].iter().any(|below| dir.join(below).is_dir())
}

fn toml_files(dir: &Path) -> Result<Vec<PathBuf>, String> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(format!("cannot list {}: {error}", dir.display())),
    };
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| format!("cannot list {}: {error}", dir.display()))?.path();
        if path.extension().is_some_and(|e| e == "toml") {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

/// Reads one text file.
///
/// *Errors*: one line that names the file, what was expected and what to do.
pub fn read(path: &Path) -> Result<String, String> {
    read_up_to(path, MAX_FILE)
}

/// Reads one text file that has at most so many bytes.
///
/// *Errors*: one line that names the file, what was expected and what to do.
pub fn read_up_to(path: &Path, most: u64) -> Result<String, String> {
    let shown = path.display();
    let meta = fs::metadata(path).map_err(|e| format!("cannot read {shown}: {e}"))?;
    // A pipe would be waited for without end.
    if !meta.is_file() {
        return Err(format!(
            "cannot read {shown}: it is no file; expected TOML in UTF-8, move it elsewhere"
        ));
    }
    let size = meta.len();
    if size > most {
        return Err(format!("{shown} has {size} bytes: expected at most {most}; split the file"));
    }
    let bytes =
        fs::read(path).map_err(|e| format!("cannot read {shown}: {e}; check its permissions"))?;
    if let Some(at) = bytes.iter().position(|b| *b == 0) {
        return Err(format!(
            "{shown} is not a text file: byte {at} is NUL; expected TOML in UTF-8"
        ));
    }
    String::from_utf8(bytes).map_err(|e| {
        let at = e.utf8_error().valid_up_to();
        format!("{shown} is not UTF-8: byte {at} is wrong; save the file as UTF-8")
    })
}
