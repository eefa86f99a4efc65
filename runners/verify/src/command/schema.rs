//! `verify schema`: generated documents, printed.

use verify_engine::{catalogue, load::schema};

use crate::{cli::SchemaName, output};

/// Prints one generated document.
pub(crate) fn schema(name: SchemaName) -> anyhow::Result<u8> {
    let schema = match name {
        SchemaName::Suite => schema::suite(),
        SchemaName::Node => schema::node(),
        SchemaName::Waivers => schema::waivers(),
        SchemaName::Run => schema::run(),
        SchemaName::Baseline => schema::baseline(),
        SchemaName::Ledger => schema::ledger(),
        SchemaName::Probes => {
            output::print(&catalogue::markdown())?;
            return Ok(0);
        }
    };
    output::print(&format!("{}\n", serde_json::to_string_pretty(&schema)?))?;
    Ok(0)
}
