//! What the kernel says of the way to an address, asked without sending anything.
//!
//! Direct is what needs nobody between: no gateway, by a port of the link. An onlink host route
//! with the peer as its own gateway is one over a gateway by this rule. An address that nobody has
//! looks direct too: a route says nothing about the peer.

use serde_json::Value as Json;

/// How iproute2 opens what the kernel refuses.
const ANSWERS: &str = "RTNETLINK answers: ";
/// What the kernel refuses a route with, and what that means. *Source*: `ip-route(8)`, types of
/// routes: `unreachable`, `blackhole`, `prohibit`.
const NONE: &[(&str, &str)] = &[
    ("Network is unreachable", "none"),
    ("No route to host", "none"),
    ("Invalid argument", "blackhole"),
    ("Permission denied", "prohibited"),
];

/// Holds one way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Route {
    /// `direct`, `gateway`, `local`, `none`, `blackhole` or `prohibited`.
    pub(crate) kind: &'static str,
    pub(crate) device: Option<String>,
    /// Own address that the peer would see.
    pub(crate) source: Option<String>,
    pub(crate) gateway: Option<String>,
    /// What the kernel says where there is no way.
    pub(crate) said: Option<String>,
}

/// Reads what `ip -j route get` ended with.
///
/// *Errors*: that is no answer of it, in one sentence.
pub(crate) fn linux(exit: i32, stdout: &str, stderr: &str) -> Result<Route, String> {
    if exit != 0 {
        let said = stderr.trim();
        let answer = said.strip_prefix(ANSWERS).map(str::trim);
        let known = answer.and_then(|answer| NONE.iter().find(|(text, _)| *text == answer));
        return match known {
            Some((text, kind)) if exit == 2 => {
                Ok(Route { kind, said: Some((*text).to_owned()), ..Route::default() })
            }
            _ => Err(format!("`ip route get` ended with {exit}: {}", last_line(said))),
        };
    }
    let routes: Vec<Json> =
        serde_json::from_str(stdout).map_err(|e| format!("`ip route get` gave no JSON: {e}"))?;
    let text = |route: &Json, key: &str| route.get(key).and_then(Json::as_str).map(str::to_owned);
    let route = routes.iter().find(|route| text(route, "dev").is_some());
    let route = route.ok_or("`ip route get` names no device")?;
    let via = route.pointer("/via/host").and_then(Json::as_str).map(str::to_owned);
    let kind = match text(route, "type").as_deref() {
        Some("local") => "local",
        // Broadcast and multicast addresses are no peers.
        Some(other) if other != "unicast" => "none",
        _ if route.get("gateway").is_some() || route.get("via").is_some() => "gateway",
        _ => "direct",
    };
    let gateway = text(route, "gateway").or(via);
    Ok(Route {
        kind,
        device: text(route, "dev"),
        source: text(route, "prefsrc"),
        gateway,
        said: None,
    })
}

/// Reads what `route -n get` of macOS ended with.
///
/// *Errors*: that is no answer of it, in one sentence.
///
/// *Source*: `route(8)` of macOS: `not in table` where there is no route, flags as in netstat(1).
pub(crate) fn macos(exit: i32, stdout: &str, stderr: &str) -> Result<Route, String> {
    if stderr.contains("not in table") || stdout.contains("not in table") {
        let said = Some("not in table".to_owned());
        return Ok(Route { kind: "none", said, ..Route::default() });
    }
    let value = |key: &str| {
        let line = stdout.lines().find_map(|line| line.trim().strip_prefix(key));
        line.and_then(|rest| rest.strip_prefix(':')).map(|value| value.trim().to_owned())
    };
    let (Some(device), true) = (value("interface"), exit == 0) else {
        let said = if stderr.trim().is_empty() { stdout } else { stderr };
        return Err(format!("`route get` ended with {exit}: {}", last_line(said.trim())));
    };
    let flags = value("flags").unwrap_or_default();
    let flag = |name: &str| flags.trim_matches(['<', '>']).split(',').any(|flag| flag == name);
    let gateway = value("gateway").filter(|_| flag("GATEWAY"));
    let kind = match () {
        () if flag("BLACKHOLE") => "blackhole",
        () if flag("REJECT") => "none",
        () if flag("GATEWAY") => "gateway",
        () if device.starts_with("lo") => "local",
        () => "direct",
    };
    Ok(Route { kind, device: Some(device), source: None, gateway, said: None })
}

fn last_line(text: &str) -> &str {
    text.lines().last().unwrap_or("no message")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(text: &str) -> &'static str {
        linux(0, text, "").map_or("error", |route| route.kind)
    }

    #[test]
    fn only_a_way_without_anybody_between_is_direct() {
        let direct =
            r#"[{"dst":"10.0.0.2","dev":"veth-a","prefsrc":"10.0.0.1","flags":[],"uid":0}]"#;
        let gateway =
            r#"[{"dst":"10.0.5.9","gateway":"10.0.0.2","dev":"veth-a","prefsrc":"10.0.0.1"}]"#;
        let onlink = r#"[{"dst":"10.0.0.2","gateway":"10.0.0.2","dev":"veth-a"}]"#;
        let via =
            r#"[{"dst":"10.0.0.2","via":{"family":"inet6","host":"fe80::2"},"dev":"veth-a"}]"#;
        let local = r#"[{"type":"local","dst":"10.0.0.1","dev":"lo","cache":["local"]}]"#;
        let broadcast = r#"[{"type":"broadcast","dst":"10.0.0.255","dev":"veth-a"}]"#;
        assert_eq!([direct, gateway, onlink].map(kind), ["direct", "gateway", "gateway"]);
        assert_eq!([via, local, broadcast].map(kind), ["gateway", "local", "none"]);
        assert_eq!(["", "[]", "[{}]", "{}"].map(kind), ["error"; 4]);
    }

    #[test]
    fn no_route_a_blackhole_and_a_name_are_three_things() {
        let none = |said: &str| linux(2, "", said).map(|route| route.kind);
        assert_eq!(none("RTNETLINK answers: Network is unreachable\n"), Ok("none"));
        assert_eq!(none("RTNETLINK answers: Invalid argument\n"), Ok("blackhole"));
        assert_eq!(none("RTNETLINK answers: Permission denied\n"), Ok("prohibited"));
        assert!(linux(1, "", "Error: any valid prefix is expected rather than \"peer\".").is_err());
    }

    #[test]
    fn macos_says_it_in_its_own_words() {
        let direct = "   route to: 10.0.0.1\ndestination: 10.0.0.1\n  interface: en0\n      flags: <UP,HOST,DONE,LLINFO,WASCLONED,IFSCOPE,IFREF>\n";
        let read = macos(0, direct, "").unwrap_or_default();
        assert_eq!((read.kind, read.device.as_deref()), ("direct", Some("en0")));
        let gateway = "    gateway: 192.168.1.1\n  interface: en1\n      flags: <UP,GATEWAY,DONE,STATIC,PRCLONING,GLOBAL>\n";
        let read = macos(0, gateway, "").unwrap_or_default();
        assert_eq!((read.kind, read.gateway.as_deref()), ("gateway", Some("192.168.1.1")));
        let of = |flags: &str, device: &str| {
            let text = format!("  interface: {device}\n      flags: <UP,{flags},STATIC>\n");
            macos(0, &text, "").unwrap_or_default().kind
        };
        assert_eq!([of("HOST", "lo0"), of("HOST", "en0")], ["local", "direct"]);
        assert_eq!([of("REJECT", "lo0"), of("REJECT,GATEWAY", "en0")], ["none", "none"]);
        assert_eq!([of("BLACKHOLE", "lo0"), of("REJECT,BLACKHOLE", "en0")], ["blackhole"; 2]);
        let none = macos(1, "", "route: writing to routing socket: not in table\n");
        assert_eq!(none.map(|route| route.kind), Ok("none"));
        assert!(macos(0, "", "").is_err() && macos(1, direct, "").is_err());
    }
}
