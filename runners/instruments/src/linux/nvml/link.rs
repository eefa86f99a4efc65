//! What a card says of its NVLink links, one by one.
//!
//! Functions of the library are asked directly: the typed wrapper loses the kind of the remote end
//! and asks every counter of link 0.

use nvml_wrapper_sys::bindings::{nvmlDevice_t, nvmlPciInfo_t};
use serde_json::{Map, Value, json};

use super::{
    call::{Asker, INVALID_ARGUMENT, NOT_SUPPORTED, Trouble, shown, symbol},
    inventory::bus_id,
};

/// Most links that a card has. *Source*: `nvml.h`, `NVML_NVLINK_MAX_LINKS`.
const LINKS: u32 = 18;
/// Counters of errors of a link. *Source*: `nvml.h`, `nvmlNvLinkErrorCounter_t`.
const COUNTERS: [(&str, u32); 4] =
    [("replay", 0), ("recovery", 1), ("crc-flit", 2), ("crc-data", 3)];

/// Lists the links of a card; a card without any says so.
pub(super) fn links(asker: &Asker<'_>, card: nvmlDevice_t) -> Value {
    let mut links = Vec::new();
    for link in 0..LINKS {
        match asker.one_by(symbol!(asker, nvmlDeviceGetNvLinkState), card, link, 0) {
            Ok(state) => links.push(one(asker, card, link, state)),
            // There is no such link: the list is whole.
            Err(Trouble::Code(_, INVALID_ARGUMENT)) => break,
            Err(trouble @ (Trouble::Code(_, NOT_SUPPORTED) | Trouble::NoSymbol(_))) => {
                if links.is_empty() {
                    return trouble.to_json();
                }
                break;
            }
            Err(trouble) => {
                links.push(json!({ "link": link, "state": trouble.to_json() }));
                break;
            }
        }
    }
    json!({ "value": links })
}

fn one(asker: &Asker<'_>, card: nvmlDevice_t, link: u32, state: u32) -> Value {
    let remote = asker.one_by(
        symbol!(asker, nvmlDeviceGetNvLinkRemotePciInfo_v2),
        card,
        link,
        nvmlPciInfo_t {
            busIdLegacy: [0; 16],
            domain: 0,
            bus: 0,
            device: 0,
            pciDeviceId: 0,
            pciSubSystemId: 0,
            busId: [0; 32],
        },
    );
    json!({
        "link": link,
        "state": { "value": state },
        "version": asker.number_by(symbol!(asker, nvmlDeviceGetNvLinkVersion), card, link),
        "remote": shown(remote.map(|pci| bus_id(&pci))),
        "remote-type": asker.number_by(symbol!(asker, nvmlDeviceGetNvLinkRemoteDeviceType), card, link),
        "errors": errors(asker, card, link),
    })
}

/// Reads the counters of errors of a link.
pub(super) fn errors(asker: &Asker<'_>, card: nvmlDevice_t, link: u32) -> Value {
    let read = |(name, counter): (&str, u32)| {
        let symbol = symbol!(asker, nvmlDeviceGetNvLinkErrorCounter);
        (name.to_owned(), shown(asker.one_by_two(symbol, card, (link, counter))))
    };
    Value::Object(COUNTERS.map(read).into_iter().collect::<Map<_, _>>())
}
