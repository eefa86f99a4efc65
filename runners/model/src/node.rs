//! A named place to ask, as its file describes it, and what was found out about it before planning.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    check::{Location, Params},
    link::Link,
    waiver::Waiver,
};

/// Says whether a node may be loaded unasked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum NodeRole {
    /// A machine for measuring.
    #[default]
    Workstation,
    /// A machine that serves people: loads need `--allow-load NODE`.
    Production,
}

/// Holds a node file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct NodeFile {
    /// Name: the file's name without `.toml`.
    pub name: String,
    /// One line for people.
    pub title: String,
    /// Host names of the machine; empty means that this machine is meant.
    pub hostnames: Vec<String>,
    /// Alias in the user's ssh configuration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ssh: Option<String>,
    /// Scenario that answers for it, where there is no such machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scenario: Option<String>,
    /// Python interpreter that has what is tested: a name or an absolute path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub python: Option<String>,
    /// Whether what needs root may ask for it by `sudo -n`, over ssh, for an installed verify.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sudo: bool,
    /// Whether the machine is never quiet, so that other work on it disturbs no comparison.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub busy: bool,
    /// Whether it may be loaded unasked.
    pub role: NodeRole,
    /// Capabilities that the node must have: a missing one fails.
    pub has: Vec<String>,
    /// Variables for suites, by name.
    pub variables: Params,
    /// Cables to other nodes.
    #[serde(default, skip_serializing_if = "<[Link]>::is_empty")]
    pub links: Box<[Link]>,
    /// Known failures.
    pub waivers: Vec<Waiver>,
    /// Where it stands.
    pub location: Location,
}

impl NodeFile {
    /// Tells whether one machine is meant: a scenario is none, and without host names and alias it is
    /// whichever machine asks.
    pub fn is_machine(&self) -> bool {
        self.scenario.is_none() && (!self.hostnames.is_empty() || self.ssh.is_some())
    }
}

/// Says by what way a node is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Via {
    /// This machine.
    Local,
    /// Another machine, through the system's ssh.
    Ssh(String),
    /// A node of a cluster, through Slurm.
    Slurm(String),
    /// A recorded run.
    Replay(String),
    /// A scenario: no machine at all.
    Sim(String),
}

impl Via {
    /// Names the machine behind a node: two node files may mean the same one.
    pub fn machine(&self, node: &str) -> String {
        match self {
            Self::Local | Self::Ssh(_) | Self::Slurm(_) => self.to_string(),
            // No machine at all: nobody is in its way.
            Self::Replay(_) | Self::Sim(_) => format!("{self} as {node}"),
        }
    }
}

impl std::fmt::Display for Via {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Local => f.write_str("local"),
            Self::Ssh(alias) => write!(f, "ssh {alias}"),
            Self::Slurm(node) => write!(f, "slurm {node}"),
            Self::Replay(run) => write!(f, "replay of {run}"),
            Self::Sim(scenario) => write!(f, "scenario {scenario}"),
        }
    }
}

/// Holds what was found out about a node before planning.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Facts {
    /// Host name of the machine that answered.
    pub hostname: String,
    /// Operating system, in words.
    pub os: String,
    /// Kernel release.
    pub kernel: String,
    /// Machine architecture, as `uname -m` writes it.
    pub arch: String,
    /// CPU model, if it was found.
    pub cpu: String,
    /// Virtualisation or container that the machine runs in; empty on bare metal.
    pub virtualization: String,
    /// User who asks.
    pub user: String,
    /// Names this boot of the machine, for what counts as one session; empty where nobody knows.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub boot: String,
    /// Scenario that answered, where no machine did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub simulated: Option<String>,
    /// Python interpreter that the node file names; empty for the usual one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub python: String,
    /// Further core fields of the fingerprint, by name.
    pub core: BTreeMap<String, String>,
    /// Capabilities that the node has.
    pub capabilities: BTreeSet<String>,
    /// What was looked for, for each capability that it lacks.
    pub missing: BTreeMap<String, String>,
}
