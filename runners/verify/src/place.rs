//! Where things are on the machine that asks: root, records, its own name.

use std::path::{Path, PathBuf};

use verify_engine::{
    load::{
        diagnostic::LoadError,
        root::{Root, Surroundings},
    },
    record::Store,
    session::{Claims, is_host},
    transport::SSH_CONFIG,
};

/// Chooses the root.
///
/// *Errors*: a folder was asked for and is not a root.
pub(crate) fn root(given: Option<&Path>) -> Result<Root, LoadError> {
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let config_home = absolute("XDG_CONFIG_HOME").or_else(|| home.map(|home| home.join(".config")));
    let current = std::env::current_dir().unwrap_or_default();
    // Joining an absolute path gives that path.
    let given = given.map(|dir| current.join(dir));
    Root::choose(&Surroundings { given, current, config_home })
}

/// Returns the store of run records: `VERIFY_STATE`, else below the user's state folder.
///
/// *Errors*: `VERIFY_STATE` is no absolute path, or no folder of the user's is known.
pub(crate) fn store() -> anyhow::Result<Store> {
    let given = std::env::var_os("VERIFY_STATE").map(PathBuf::from);
    if let Some(dir) = given.filter(|dir| !dir.as_os_str().is_empty()) {
        if dir.is_absolute() {
            return Ok(Store { dir: dir.join("runs") });
        }
        anyhow::bail!("VERIFY_STATE is `{}`: expected an absolute path", dir.display());
    }
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let state = absolute("XDG_STATE_HOME").or_else(|| home.map(|home| home.join(".local/state")));
    let Some(state) = state else {
        anyhow::bail!(
            "no place for run records: neither VERIFY_STATE, XDG_STATE_HOME nor HOME is set; set one of them"
        );
    };
    Ok(Store { dir: state.join("verify/runs") })
}

/// Returns what keeps other runs from loading the same machines; `VERIFY_LOCKS` names another folder for
/// all users.
pub(crate) fn claims(run: &str, since: &str) -> Claims {
    let shared = absolute("VERIFY_LOCKS").or_else(Claims::shared);
    store().map_or_else(
        |_| Claims::default(),
        |store| Claims::new(store.dir.with_file_name("locks"), shared, run, since),
    )
}

fn absolute(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute())
}

/// Returns the host name of this machine.
pub(crate) fn hostname() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// Tells whether this machine is one of these hosts.
pub(crate) fn is_this_host(hostnames: &[String]) -> bool {
    is_host(hostnames, &hostname())
}

/// Returns the aliases that ssh's configuration names by themselves: the user's, or the one that is
/// read instead.
pub(crate) fn ssh_aliases() -> Vec<String> {
    let given = std::env::var_os(SSH_CONFIG).filter(|path| !path.is_empty()).map(PathBuf::from);
    let own = || Some(PathBuf::from(std::env::var_os("HOME")?).join(".ssh/config"));
    let Some(path) = given.or_else(own) else { return Vec::new() };
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let hosts = text.lines().filter_map(|line| {
        let (key, rest) = line.trim().split_once([' ', '\t', '='])?;
        key.eq_ignore_ascii_case("host").then(|| rest.trim().to_owned())
    });
    hosts
        .flat_map(|names| names.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
        .collect()
}
