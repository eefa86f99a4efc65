//! Which nodes a run asks where Slurm is the engine.
//!
//! One node file describes them all: a machine of a cluster has a name of its own in the run, and the
//! checks, variables and waivers of its template.

use std::sync::Arc;

use anyhow::bail;
use verify_engine::{
    load::catalog::Catalog,
    session,
    transport::{Cluster, Gate, Slurm, Transport},
};

use crate::{cli::Choice, output};

/// Builds the transports of all nodes, and gives each the checks of the template.
///
/// *Errors*: no such partition, node or template, or Slurm gives no answer.
pub(crate) fn nodes(
    catalog: &mut Catalog,
    spec: &str,
    choice: &Choice,
    templates: &[String],
    run: &str,
) -> anyhow::Result<Vec<(String, Arc<dyn Transport>)>> {
    let [template] = templates else {
        bail!(
            "with --slurm, one --node names the node file that describes the nodes; {} were given",
            templates.len()
        );
    };
    if choice.via != "auto" {
        bail!("--via {} and --slurm are two ways at once; leave one out", choice.via);
    }
    if let Some(scenario) = &session::known_node(catalog, template)?.scenario {
        bail!(
            "node {template} is no machine, but scenario {scenario}: it describes no node of a cluster"
        );
    }
    let cluster = Cluster::find(spec, run)?;
    let gate = Arc::new(Gate::new(cluster.nodes.len()));
    let mut nodes: Vec<(String, Arc<dyn Transport>)> = Vec::new();
    for node in cluster.nodes {
        let of_links = catalog.adopt(template, &node.name);
        if nodes.is_empty() && !of_links.is_empty() {
            output::say(&format!(
                "left out: {}; a cable belongs to {template}, not to a node of the cluster",
                of_links.join(", ")
            ));
        }
        let name = node.name.clone();
        let slurm = Slurm::new(node, run, choice.slurm_wait).through(Arc::clone(&gate));
        nodes.push((name, Arc::new(slurm)));
    }
    Ok(nodes)
}
