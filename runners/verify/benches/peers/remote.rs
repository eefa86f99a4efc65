//! The hundred checks on one node over ssh, with a login of its own and over a connection that is there.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use crate::{
    lab::Lab,
    measure::{Subject, in_turns},
    table,
    tools::{self, Tools},
    world::World,
};

/// Sends a binary and its file over one connection, one behind the other, and runs them.
const BROUGHT: &str = r#"size=$(wc -c <"$1")
cat "$1" - | ssh -T -F "$2" -o BatchMode=yes -- n0 "f=\$(mktemp) && head -c $size >\$f &&
    chmod 700 \$f && \$f -g - validate; rc=\$?; rm -f \$f; exit \$rc""#;

/// Prints what each tool takes over ssh.
pub(crate) fn print(scratch: &Path, world: &World, tools: &Tools, lab: &Lab, turns: usize) {
    let checks = world.mixed();
    let root = lab.root("remote", &checks.suite(&["n0"]), &["n0"]);
    let muxed = muxed_config(scratch, lab);
    let script = checks.script();
    let command = || lab.command(&root, &["--node", "n0"]);
    let mut subjects =
        vec![tools::subject("verify, with a login", command, tools::count_verify, checks.count())];
    for (name, options) in
        [("sh script, with a login", Vec::new()), ("sh script, open connection", lab.muxed())]
    {
        let command = move || lab.ssh_command("n0", &options, "/bin/sh -s");
        let subject = tools::subject(name, command, tools::count_script, checks.count());
        subjects.push(Subject { input: script.clone(), ..subject });
    }
    subjects.extend(goss(tools, lab, world));
    let config = format!("--ssh-config={}", lab.config());
    let mux = format!("--ssh-config={muxed}");
    for (title, folder, hosts, config, is_open, every) in [
        ("testinfra, ControlPath, first run", "first", "ssh://n0", &mux, false, 1),
        ("testinfra, ControlPath, connection open", "again", "ssh://n0", &mux, true, 1),
        ("testinfra, paramiko", "paramiko", "paramiko://n0", &config, true, 3),
    ] {
        let hosts = format!("--hosts={hosts}");
        let arguments = [hosts.as_str(), config.as_str()];
        let Some(subject) = tools.testinfra((title, folder), &checks, &arguments) else { continue };
        let before: Box<dyn Fn()> = if is_open { Box::new(|| {}) } else { Box::new(|| unmux(lab)) };
        subjects.push(Subject { before, every, ..subject });
    }
    let costs = in_turns(turns, scratch, &subjects);
    unmux(lab);
    let title = format!("ssh: {} mixed checks on one node, loopback", checks.count());
    let goals = [
        ("testinfra, ControlPath, first run", 10.0),
        ("testinfra, ControlPath, connection open", 10.0),
    ];
    table::print(&title, &subjects, &costs, &goals);
}

/// Writes a configuration that shares one connection, as its user would; returns its path.
fn muxed_config(scratch: &Path, lab: &Lab) -> String {
    let path = scratch.join("muxed");
    let own = fs::read_to_string(lab.config()).unwrap();
    let mux = format!("ControlMaster auto\nControlPath {}\nControlPersist 60\n", lab.socket());
    fs::write(&path, format!("{own}\nHost *\n{mux}")).unwrap();
    path.display().to_string()
}

/// Ends the connection that is shared, if there is one.
fn unmux(lab: &Lab) {
    let path = format!("ControlPath={}", lab.socket());
    let mut ssh = Command::new("ssh");
    ssh.args(["-F", &lab.config(), "-o", &path, "-O", "exit", "n0"]);
    let _ = ssh.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
}

/// Prepares goss, which knows no other machine: its binary is there, or is brought along.
fn goss<'a>(tools: &'a Tools, lab: &'a Lab, world: &World) -> Vec<Subject<'a>> {
    let Some(binary) = tools.goss_binary().and_then(found) else { return Vec::new() };
    let (file, goss) = tools.gossfile("remote", &world.mixed());
    let gossfile = fs::read_to_string(file).unwrap();
    let line = format!("{binary} -g - validate");
    let ways = [
        ("goss is there, with a login", Vec::new(), false),
        ("goss is there, open connection", lab.muxed(), false),
        ("goss is brought, with a login", Vec::new(), true),
    ];
    ways.into_iter()
        .map(|(name, options, brought)| {
            let (line, binary) = (line.clone(), binary.clone());
            let config = lab.config();
            let command = move || {
                if !brought {
                    return lab.ssh_command("n0", &options, &line);
                }
                let mut sh = Command::new("sh");
                sh.args(["-c", BROUGHT, "sh"]);
                sh.arg(&binary).arg(&config);
                sh
            };
            let subject = tools::subject(name, command, tools::count_goss, goss.tests);
            Subject { input: gossfile.clone(), ..subject }
        })
        .collect()
}

/// Returns where a program is, as the node must name it.
fn found(program: &Path) -> Option<String> {
    let all = std::env::var_os("PATH").unwrap_or_default();
    let places = std::env::split_paths(&all).map(|folder| folder.join(program));
    let path = places.chain([program.to_owned()]).find(|path| path.is_file())?;
    Some(fs::canonicalize(path).unwrap().display().to_string())
}
