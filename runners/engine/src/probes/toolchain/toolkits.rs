//! CUDA toolkits that no name starts: those in their own folders, and the one of a Python environment.
//!
//! They are found by the compiler's file, and their version by the file beside it, so that nothing
//! is started for it.

use verify_model::{
    ask::Ask, evidence::Evidence, finding::FindingCode, observation::AttemptError, value::Value,
};

use super::{
    Answer, Candidate,
    names::{TOOLKITS, packages},
};
use crate::{gathered::Gathered, parse::json, probe::failed};

/// Below the folder of an environment's packages. *Source*: `PyPI`, nvidia-cuda-nvcc 13.
const IN_PACKAGES: &str = "/nvidia/cu*/bin/nvcc";
const METADATA: &str = "/nvidia_cuda_nvcc-*/METADATA";

/// Reads the version from what stands beside a compiler.
type Reader = fn(&str) -> Result<String, String>;

/// Returns where a Python environment has a compiler.
pub(in crate::probes) fn wheel(python: &str) -> Option<String> {
    packages(python).map(|folder| format!("{folder}{IN_PACKAGES}"))
}

/// Returns what to look at.
pub(super) fn asks(python: &str) -> Vec<Ask> {
    // That they are there is all that is wanted of them: a few bytes tell.
    let there = |pattern| Ask::ReadFiles { pattern, cap: 4 };
    let kits = TOOLKITS.iter().flat_map(|kit| {
        [there(format!("{kit}/bin/nvcc")), Ask::files(format!("{kit}/version.json"))]
    });
    let wheel = packages(python).into_iter().flat_map(|folder| {
        [there(format!("{folder}{IN_PACKAGES}")), Ask::files(format!("{folder}{METADATA}"))]
    });
    kits.chain(wheel).collect()
}

/// Finds the toolkits in what was gathered.
///
/// *Errors*: nobody looked.
pub(super) fn found(
    evidence: &[&Evidence],
    known: &[Candidate],
) -> Result<Vec<Candidate>, AttemptError> {
    let node = Gathered(evidence);
    let unread = |why| failed(FindingCode::GatherFailed, why);
    let of = |pattern: &str| match node.files(pattern) {
        Ok(found) => Ok(found),
        Err(Value::Unreadable(why)) => Err(unread(why)),
        Err(_) => Ok(Vec::new()),
    };
    let mut candidates: Vec<Candidate> = Vec::new();
    for pattern in patterns(evidence) {
        let (versions, read): (_, Reader) = match pattern.strip_suffix(IN_PACKAGES) {
            Some(folder) => (format!("{folder}{METADATA}"), of_metadata),
            None => (pattern.replace("/bin/nvcc", "/version.json"), of_toolkit),
        };
        let (files, versions) = (of(pattern)?, of(&versions)?);
        for (path, _) in files {
            if known.iter().any(|known| known.path.as_deref() == Some(path)) {
                continue;
            }
            let root = path.split("/nvidia/cu").next().filter(|root| *root != path);
            let root = root.or_else(|| path.strip_suffix("/bin/nvcc")).unwrap_or(path);
            let beside = versions.iter().find(|(file, _)| beside(file, root));
            let version = match beside {
                None => Err(format!("nothing beside it says it in {root}")),
                Some((_, Err(why))) => Err(why.clone()),
                Some((file, Ok(text))) => read(text)
                    .map(|version| (*file, version))
                    .map_err(|why| format!("{file}: {why}")),
            };
            candidates.push(candidate(path, version));
        }
    }
    Ok(candidates)
}

/// Tells whether a file states the version of the toolkit in a folder.
fn beside(file: &str, root: &str) -> bool {
    let rest = file.strip_prefix(root).and_then(|rest| rest.strip_prefix('/'));
    rest.is_some_and(|rest| rest == "version.json" || rest.ends_with("/METADATA"))
}

fn patterns<'a>(evidence: &[&'a Evidence]) -> Vec<&'a str> {
    let of = |piece: &&'a Evidence| match &piece.ask {
        Ask::ReadFiles { pattern, .. } if pattern.ends_with("/bin/nvcc") => Some(pattern.as_str()),
        _ => None,
    };
    evidence.iter().filter_map(of).collect()
}

fn candidate(path: &str, version: Result<(&str, String), String>) -> Candidate {
    let answer = match version {
        Ok((file, version)) => Answer::Version { line: format!("{file} says {version}"), version },
        Err(why) => Answer::Broken(failed(
            FindingCode::OutputUnreadable,
            format!("the version of {path} is not known: {why}"),
        )),
    };
    Candidate { name: path.to_owned(), path: Some(path.to_owned()), answer }
}

fn of_toolkit(text: &str) -> Result<String, String> {
    let version = json::at(text, "/cuda_nvcc/version")?.ok_or("it names no `cuda_nvcc`")?;
    dotted(version.as_str())
}

fn of_metadata(text: &str) -> Result<String, String> {
    let version = text.lines().find_map(|line| line.strip_prefix("Version: "));
    dotted(version.ok_or("it names no version")?.trim())
}

fn dotted(version: &str) -> Result<String, String> {
    let plain =
        version.split('.').all(|part| !part.is_empty() && part.chars().all(|c| c.is_ascii_digit()));
    if plain { Ok(version.to_owned()) } else { Err(format!("`{version}` is not a version")) }
}

#[cfg(test)]
mod tests {
    use verify_model::evidence::{Captured, Stream};

    use super::*;

    fn piece(ask: Ask, files: &[(&str, &str)]) -> Evidence {
        let of = |(path, text): &(&str, &str)| {
            (
                (*path).to_owned(),
                Ok(Stream { text: (*text).to_owned(), truncated: 0, ..Stream::default() }),
            )
        };
        let captured = Captured::Files(files.iter().map(of).collect());
        Evidence { id: 0, node: "n".to_owned(), ask, at_ms: 0, elapsed_us: 0, captured }
    }

    #[test]
    fn the_compiler_of_a_python_environment_is_found_with_its_version() {
        let asks = asks("/opt/ai/bin/python3");
        let site = "/opt/ai/lib/python3.12/site-packages";
        let compiler = format!("{site}/nvidia/cu13/bin/nvcc");
        let metadata = format!("{site}/nvidia_cuda_nvcc-13.5.37.dist-info/METADATA");
        let files: [Vec<(&str, &str)>; 6] = [
            vec![],
            vec![],
            vec![],
            vec![],
            vec![(&compiler, "ELF")],
            vec![(&metadata, "Name: nvidia-cuda-nvcc\nVersion: 13.5.37\n")],
        ];
        let pieces: Vec<Evidence> =
            asks.into_iter().zip(&files).map(|(ask, files)| piece(ask, files)).collect();
        let found = found(&pieces.iter().collect::<Vec<_>>(), &[]).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].path.as_deref(), Some(compiler.as_str()));
        assert!(
            matches!(&found[0].answer, Answer::Version { version, .. } if version == "13.5.37")
        );
    }

    #[test]
    fn an_interpreter_without_a_folder_of_its_own_names_no_place() {
        for python in ["", "python3", "bin/python3", "/opt/*/bin/python3"] {
            assert_eq!(wheel(python), None, "{python}");
        }
        assert_eq!(
            wheel("/opt/ai/bin/python3").as_deref(),
            Some("/opt/ai/lib/python3*/site-packages/nvidia/cu*/bin/nvcc")
        );
    }
}
