//! How the run came about: what each machine is made of, which suites asked, where the rules stand.

use verify_model::run::{Run, RunNode};

use super::text::{LONGEST_LINE, LONGEST_NAME, line};

/// Holds how the run came about.
pub(super) struct Method {
    pub(super) machines: Vec<Machine>,
    pub(super) suites: Vec<Suite>,
    pub(super) id: String,
}

/// Holds what one node is made of.
pub(super) struct Machine {
    pub(super) node: String,
    pub(super) fields: Vec<Field>,
    pub(super) unknown: usize,
}

/// Holds one field of a fingerprint.
pub(super) struct Field {
    pub(super) path: String,
    pub(super) value: String,
    pub(super) is_known: bool,
}

/// Holds one suite file.
pub(super) struct Suite {
    pub(super) name: String,
    pub(super) title: String,
    pub(super) file: String,
    pub(super) digest: String,
}

/// Gathers how the run came about.
pub(super) fn of(run: &Run) -> Method {
    Method {
        machines: run.nodes.iter().map(machine).collect(),
        suites: run
            .suites
            .iter()
            .map(|suite| Suite {
                name: line(&suite.name, LONGEST_NAME),
                title: line(&suite.title, LONGEST_NAME),
                file: line(&suite.file, LONGEST_NAME),
                digest: line(&suite.digest, LONGEST_NAME),
            })
            .collect(),
        id: line(&run.header.id, LONGEST_NAME),
    }
}

fn machine(node: &RunNode) -> Machine {
    let field = |(path, value): (&String, &Option<String>)| Field {
        path: line(path, LONGEST_NAME),
        value: value.as_deref().map_or_else(String::new, |value| line(value, LONGEST_LINE)),
        is_known: value.is_some(),
    };
    let fields = &node.fingerprint.0;
    Machine {
        node: line(&node.file.name, LONGEST_NAME),
        unknown: fields.values().filter(|value| value.is_none()).count(),
        fields: fields.iter().map(field).collect(),
    }
}
