//! One probe: what it takes, what it answers, an example, and how it measures.

use verify_engine::{
    catalogue,
    probe::{ParamSpec, ProbeSpec},
};
use verify_model::field::FieldSpec;
use verify_reports::terminal::{page::Page, paint::Paint};

use super::{column_beside, heading, named, paragraph, prose, title};
use crate::method;

pub(super) fn write(page: &mut Page, spec: &ProbeSpec) {
    title(page, spec.name, spec.summary, &format!("probe · {} the node", spec.effect.name()));
    if let Some(depends) = catalogue::depends(spec) {
        page.blank();
        page.text(Paint::Plain, 0, &depends.replace('`', ""));
    }
    params(page, spec.params);
    fields(page, spec.fields);
    heading(page, "Example");
    page.verbatim(Paint::Plain, 4, spec.example);
    if let Some(how) = method::whole(spec.name) {
        heading(page, "How it is measured, and what misleads");
        prose::write(page, how);
    }
}

fn params(page: &mut Page, params: &[ParamSpec]) {
    heading(page, "What it takes, under `with`");
    if params.is_empty() {
        paragraph(page, "Nothing.");
    }
    let column = column_beside(params.iter().map(|param| param.name));
    for param in params {
        let need = if param.required { "Required. " } else { "" };
        named(page, column, param.name, &format!("{need}{}", param.doc));
    }
}

fn fields(page: &mut Page, fields: &[FieldSpec]) {
    heading(page, "What it answers: fields for `expect`, `advise` and `record`");
    let column = column_beside(fields.iter().map(|field| field.path));
    for FieldSpec { path, kind, doc, source, .. } in fields {
        named(page, column, path, &format!("({}) {doc} From {source}.", kind().name()));
    }
}
