//! What curl reports of a transfer, found among whatever else it wrote to standard error.
//!
//! The report is one line of JSON behind a mark of ours. A server cannot forge it: without `-v`
//! nothing of its answer reaches standard error but as a quoted text within the JSON.
//!
//! *Source*: curl(1), `--write-out`, `%{json}` since 7.70.

use serde::Deserialize;

/// Is given to `--write-out`.
pub(crate) const FORMAT: &str = "%{stderr}\\nverify-http %{json}\\n";
const MARK: &str = "verify-http ";

/// Holds the report.
#[derive(Debug, Deserialize)]
pub(crate) struct Report {
    /// Status of the last answer; 0 where none came.
    #[serde(rename = "response_code")]
    pub(crate) status: u16,
    /// `Content-Type` of the last answer.
    pub(crate) content_type: Option<String>,
    /// Where a redirect leads that was not followed.
    pub(crate) redirect_url: Option<String>,
    /// Size of the body as it was sent. *Units*: B.
    #[serde(rename = "size_download")]
    pub(crate) size_b: f64,
    /// Time from start to end. *Units*: s.
    #[serde(rename = "time_total")]
    pub(crate) time_s: f64,
}

/// Finds the report.
///
/// *Errors*: there is none, or it is not as expected.
pub(crate) fn report(stderr: &str) -> Result<Report, String> {
    let line = stderr.lines().rev().find_map(|line| line.strip_prefix(MARK));
    let line = line.ok_or_else(|| "curl reports nothing about the transfer".to_owned())?;
    if line.contains("%{json}") {
        return Err("this curl is older than 7.70 and cannot report in JSON".to_owned());
    }
    serde_json::from_str(line).map_err(|error| format!("curl's report is not as expected: {error}"))
}

/// Returns curl's own words about an error, without the report.
pub(crate) fn words(stderr: &str) -> &str {
    let lines = stderr.lines().map(str::trim);
    let mut own = lines.filter(|line| !line.is_empty() && !line.starts_with(MARK.trim_end()));
    own.next_back().unwrap_or("no message")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_report_is_found_among_other_words() {
        let json = r#"{"response_code":204,"content_type":null,"redirect_url":null,"size_download":0,"time_total":0.5,"new":1}"#;
        let text = format!("curl: (18) cut\n\nverify-http {json}\n");
        assert_eq!(report(&text).unwrap().status, 204);
        assert_eq!(words(&text), "curl: (18) cut");
        assert!(report("verify-http %{json}").unwrap_err().contains("7.70"));
        assert!(report("").is_err() && report("verify-http {}").is_err());
    }
}
