//! One value out of a JSON text, by JSON pointer.

use serde_json::Value;

/// Returns the scalar at a pointer as a text; `None` where nothing or `null` stands there.
///
/// *Errors*: the text is not JSON, or an object or list stands at the pointer.
pub(crate) fn at(text: &str, pointer: &str) -> Result<Option<String>, String> {
    let json: Value = serde_json::from_str(text)
        .map_err(|e| format!("not JSON at line {} column {}", e.line(), e.column()))?;
    match json.pointer(pointer) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(Value::Bool(flag)) => Ok(Some(flag.to_string())),
        Some(Value::Number(number)) => Ok(Some(number.to_string())),
        Some(_) => Err(format!("`{pointer}` is not a single value")),
    }
}
