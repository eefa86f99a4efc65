//! The answer that follows from what was measured of a link.

use std::collections::BTreeMap;

use verify_model::{
    link::Link,
    metric::{Direction, Metric},
    observation::Observation,
    quantity::Quantity,
    unit::Unit,
    value::Value,
};

use super::measured::{Carried, Measured, Side};

/// What headers take of a packet, and Ethernet beside it. *Units*: B. *Source*: IPv4 20, IPv6 40,
/// TCP 20, time stamps 12; preamble 8, header 14, checksum 4, gap 12.
const HEADERS_V4: u32 = 52;
const HEADERS_V6: u32 = 72;
const ETHERNET: u32 = 38;

/// Returns what a speed leaves for data. *Units*: bit/s.
pub(super) fn ceiling(link: &Link, mtu: u32) -> f64 {
    let headers = if link.ends[0].address.contains(':') { HEADERS_V6 } else { HEADERS_V4 };
    let bits = link.speed.base() * 8.0;
    bits * f64::from(mtu.saturating_sub(headers)) / f64::from(mtu.saturating_add(ETHERNET))
}

impl Measured {
    /// Says why nothing was sent, if nothing was.
    pub(super) fn why_not(&self) -> Option<String> {
        if self.several.is_some() {
            return None;
        }
        let side = self.sides.iter().find(|side| side.kind != "direct")?;
        let other = self.sides.iter().find(|other| other.who != side.who);
        let (who, to) = (&side.who, other.map_or("the other end", |other| other.who.as_str()));
        let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "unknown".to_owned());
        Some(match side.kind {
            "gateway" if side.route.gateway == self.address_of_other(side) => {
                format!("{who} reaches {to} by an onlink route with itself as the gateway")
            }
            "gateway" => {
                let (gateway, device) = (text(&side.route.gateway), text(&side.route.device));
                format!("{who} reaches {to} over the gateway {gateway} on {device}")
            }
            "other-interface" => format!("{who} reaches {to} by {}", text(&side.route.device)),
            "other-address" => format!("{who} reaches {to} from {}", text(&side.route.source)),
            kind => {
                let said = side.route.said.clone().unwrap_or_else(|| kind.to_owned());
                format!("{who} has no route to {to}: {said}")
            }
        })
    }

    fn address_of_other(&self, side: &Side) -> Option<String> {
        self.sides.iter().find(|other| other.who != side.who)?.route.source.clone()
    }

    /// Returns the lower rate, and which direction has it. *Units*: bit/s.
    pub(in super::super) fn slower(&self) -> Option<(f64, &'static str)> {
        let [out, back] = self.several.as_ref()?;
        let (out, back) = (out.told.received, back.told.received);
        Some(if out <= back { (out, "outbound") } else { (back, "inbound") })
    }

    /// Returns the slower direction as a share of what the link can carry.
    pub(in super::super) fn share(&self, link: &Link) -> Result<f64, String> {
        let (rate, _) = self.slower().ok_or_else(|| self.why_not().unwrap_or_default())?;
        let mtu = self.smaller_mtu()?;
        Ok(rate / ceiling(link, mtu))
    }

    fn smaller_mtu(&self) -> Result<u32, String> {
        let [own, peer] = &self.sides;
        Ok(own.mtu.clone()?.min(peer.mtu.clone()?))
    }

    /// Returns the answer.
    pub(super) fn observation(&self, link: Option<&Link>) -> Observation {
        let none = "the loopback is no link";
        let name = |text: Option<&str>| text.map_or(Value::Absent(none.to_owned()), Value::text);
        let seen = Observation::default()
            .fact("link", name(link.map(|link| link.name.as_str())))
            .fact("peer", name(link.map(|link| link.ends[1].node.as_str())))
            .fact("route", self.route())
            .fact("version", self.versions())
            .fact("mtu", self.mtus())
            .fact("ceiling", self.ceiling(link))
            .fact("idle", of_sides(&self.sides, |side| share(side.idle.clone())))
            .fact("counters", self.counters());
        let seen = match &self.several {
            Some(_) => seen.fact("threads", Value::text(self.threads())),
            None => seen.fact("threads", self.unsent()),
        };
        self.transferred(self.figures(seen, link))
    }

    /// Returns what arrived, outbound and inbound. *Units*: bit/s.
    pub(in super::super) fn rates(&self) -> Option<[f64; 2]> {
        self.several.as_ref().map(|pair| [pair[0].told.received, pair[1].told.received])
    }

    /// Tells whether both ends reach each other directly.
    pub(in super::super) fn is_direct(&self) -> bool {
        !self.loopback && self.sides.iter().all(|side| side.kind == "direct")
    }

    /// Says that nothing was sent, and why.
    pub(in super::super) fn unsent(&self) -> Value {
        Value::Absent(format!("nothing was sent: {}", self.why_not().unwrap_or_default()))
    }

    fn route(&self) -> Value {
        let [out, back] = &self.sides;
        let wanted = if self.loopback { "local" } else { "direct" };
        let first = [out, back].into_iter().find(|side| side.kind != wanted).unwrap_or(out);
        let direct = self.is_direct();
        let way = |side: &Side| {
            let say = |text: &Option<String>, what: &str| {
                text.as_deref().map_or_else(|| Value::Absent(what.to_owned()), Value::text)
            };
            Value::record([
                ("kind", Value::text(side.kind)),
                ("device", say(&side.route.device, "there is no route")),
                ("gateway", say(&side.route.gateway, "there is no gateway")),
            ])
        };
        let why = self.why_not().map_or_else(
            || Value::Absent("nothing speaks against sending".to_owned()),
            Value::Text,
        );
        Value::record([
            ("direct", Value::Bool(direct)),
            ("kind", Value::text(first.kind)),
            ("why", why),
            ("out", way(out)),
            ("back", way(back)),
        ])
    }

    fn versions(&self) -> Value {
        let version = |side: &Side| {
            let absent = || Value::Absent(format!("{}: iperf3 is not installed", side.who));
            side.version.clone().map_or_else(absent, Value::Text)
        };
        let [client, server] = &self.sides;
        Value::record([("client", version(client)), ("server", version(server))])
    }

    fn mtus(&self) -> Value {
        of_sides(&self.sides, |side| {
            // Without a route there is no interface whose it could be.
            match &side.mtu {
                Ok(mtu) => Value::Integer(i64::from(*mtu)),
                Err(_) if side.route.device.is_none() => {
                    Value::Absent("there is no route".to_owned())
                }
                Err(why) => Value::Unreadable(why.clone()),
            }
        })
    }

    fn ceiling(&self, link: Option<&Link>) -> Value {
        let Some(link) = link else { return Value::Absent("the loopback has no speed".to_owned()) };
        match self.smaller_mtu() {
            Ok(mtu) => quantity(ceiling(link, mtu) / 1e9, "Gbit/s"),
            Err(why) => Value::Unreadable(why),
        }
    }

    fn counters(&self) -> Value {
        let risen = |which: usize| {
            if self.several.is_none() {
                return self.unsent();
            }
            let mut rose = Vec::new();
            for side in &self.sides {
                let Some(after) = side.after.as_ref().filter(|_| !side.counted[which].is_empty())
                else {
                    return Value::Unreadable(format!(
                        "{}: no counters of the interface",
                        side.who
                    ));
                };
                rose.extend(rises(&side.who, &side.counted[which], &after[which]));
            }
            Value::List(rose.into_iter().map(Value::Text).collect())
        };
        Value::record([("rose", risen(0)), ("dropped", risen(1))])
    }

    /// Adds the rates; without transfers, why there is none.
    fn figures(&self, seen: Observation, link: Option<&Link>) -> Observation {
        let rate = |rate: f64| Ok(vec![rate / 1e9]);
        let pick = |pair: &Option<[Carried; 2]>, at: usize, missing: &str| match pair {
            Some(pair) => rate(pair[at].told.received),
            None if self.several.is_some() => Err(Value::Absent(missing.to_owned())),
            None => Err(self.unsent()),
        };
        let arrived = |at: usize| match &self.several {
            Some(pair) => Ok(pair[at].arrived.iter().map(|one| one.rate / 1e9).collect()),
            None => Err(self.unsent()),
        };
        let slower = self.slower();
        let share = match (link, slower) {
            (None, _) => Err(Value::Absent("the loopback has no speed".to_owned())),
            (Some(_), None) => Err(self.unsent()),
            (Some(link), Some(_)) => {
                self.share(link).map(|share| vec![share * 100.0]).map_err(Value::Unreadable)
            }
        };
        let single = "one connection alone was not asked for";
        let figures = [
            (
                "throughput",
                "Gbit/s",
                slower.map_or_else(|| Err(self.unsent()), |(slow, _)| rate(slow)),
            ),
            ("outbound", "Gbit/s", pick(&self.several, 0, "")),
            ("inbound", "Gbit/s", pick(&self.several, 1, "")),
            ("share", "%", share),
            ("outbound-intervals", "Gbit/s", arrived(0)),
            ("inbound-intervals", "Gbit/s", arrived(1)),
            ("single-outbound", "Gbit/s", pick(&self.single, 0, single)),
            ("single-inbound", "Gbit/s", pick(&self.single, 1, single)),
        ];
        let seen = figures.into_iter().fold(seen, |seen, (name, unit, samples)| {
            let metric = samples.and_then(|samples: Vec<f64>| {
                let unit = Unit::parse(unit);
                let metric = unit
                    .and_then(|unit| Metric::new(unit, Direction::HigherIsBetter, samples).ok());
                metric.ok_or_else(|| Value::Unreadable("no number".to_owned()))
            });
            match metric {
                Ok(metric) => seen.metric(name, metric),
                Err(why) => seen.fact(name, why),
            }
        });
        let slower = slower.map_or_else(|| self.unsent(), |(_, which)| Value::text(which));
        seen.fact("slower", slower)
    }

    /// Adds what the transfers say beside their rates.
    fn transferred(&self, seen: Observation) -> Observation {
        let both = |read: &dyn Fn(&Carried) -> Value| {
            let one = |at: usize| match &self.several {
                Some(pair) => read(&pair[at]),
                None => self.unsent(),
            };
            Value::record([("outbound", one(0)), ("inbound", one(1))])
        };
        let unsaid = |what: &str| Value::Unreadable(format!("iperf3 does not say its {what}"));
        let again = |carried: &Carried| {
            let number = carried.told.retransmits.and_then(|number| i64::try_from(number).ok());
            number.map_or_else(|| unsaid("retransmits"), Value::Integer)
        };
        let control = |carried: &Carried| {
            carried
                .told
                .congestion
                .clone()
                .map_or_else(|| unsaid("congestion control"), Value::Text)
        };
        seen.fact("retransmits", both(&again))
            .fact("congestion", both(&control))
            .fact("zero-intervals", self.zeros())
            .fact("cpu", self.cpus())
    }

    /// Names the intervals of nothing.
    fn zeros(&self) -> Value {
        let Some([out, back]) = &self.several else { return self.unsent() };
        let mut all: Vec<String> = Vec::new();
        let pairs = [("outbound", out), ("inbound", back)];
        let single = self.single.iter().flat_map(|[out, back]| {
            [("outbound, one connection", out), ("inbound, one connection", back)]
        });
        for (name, carried) in pairs.into_iter().chain(single) {
            // Who sends and who receives tell of the same second.
            for zero in carried.told.intervals.iter().chain(&carried.arrived) {
                let said = format!("{name}, {:.0} to {:.0} s", zero.start, zero.end);
                if zero.is_zero() && !all.contains(&said) {
                    all.push(said);
                }
            }
        }
        Value::List(all.into_iter().map(Value::Text).collect())
    }

    fn cpus(&self) -> Value {
        let machine = |side: &Side| {
            let unknown = || Value::Absent(format!("{}: no /proc/stat", side.who));
            if self.several.is_none() {
                return self.unsent();
            }
            side.busy.map_or_else(unknown, |busy| quantity(busy * 100.0, "%"))
        };
        let process = |at: usize| match &self.several {
            None => self.unsent(),
            Some(pair) => {
                let most = pair.iter().filter_map(|one| one.told.cpu[at]).reduce(f64::max);
                let unsaid = || Value::Unreadable("iperf3 does not say it".to_owned());
                most.map_or_else(unsaid, |percent| quantity(percent, "%"))
            }
        };
        let [own, peer] = &self.sides;
        Value::record([
            ("own", machine(own)),
            ("peer", machine(peer)),
            ("client", process(0)),
            ("server", process(1)),
        ])
    }
}

fn of_sides(sides: &[Side; 2], read: impl Fn(&Side) -> Value) -> Value {
    Value::record([("own", read(&sides[0])), ("peer", read(&sides[1]))])
}

fn share(share: Result<f64, String>) -> Value {
    share.map_or_else(Value::Unreadable, |share| quantity(share * 100.0, "%"))
}

fn quantity(value: f64, unit: &str) -> Value {
    Quantity::of(value, unit)
        .map_or_else(|error| Value::Unreadable(error.to_string()), Value::Quantity)
}

/// Names the counters that rose; one that fell was set back, and then nothing is known of it.
fn rises(who: &str, before: &BTreeMap<String, u64>, after: &BTreeMap<String, u64>) -> Vec<String> {
    let rise = |(name, was): (&String, &u64)| {
        let now = after.get(name)?;
        (now > was).then(|| format!("{who}: {name} +{}", now - was))
    };
    before.iter().filter_map(rise).collect()
}
