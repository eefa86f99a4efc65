//! What changed among the things of a group: modules, cards, bridges, drives.
//!
//! A thing that is listed on one side alone came or went only if the other side counted its things;
//! else nobody knows. Where several came or went, the count says it in one line. One that stands
//! elsewhere has moved; another one in the same place was exchanged, which is one line, too.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use super::{
    Change, Fingerprint,
    group::{Group, Place, Things},
};

/// Holds the fields of one thing; that of a text has no name.
type Fields<'f> = BTreeMap<&'f str, Option<&'f str>>;
/// Holds things by name.
type Named<'f> = BTreeMap<&'f str, Fields<'f>>;

/// Holds one of the two sides.
struct Side<'f> {
    count: Option<&'f str>,
    things: Named<'f>,
}

impl<'f> Side<'f> {
    fn of(whole: &'f Fingerprint, group: &Group, things: &Things) -> Self {
        let count = whole.get(&format!("{}.{}", group.name, things.count));
        let mut named = Named::new();
        for (path, text) in &whole.0 {
            if let Some(Place::Of(thing, field)) = group.place(path) {
                named.entry(thing).or_default().insert(field, text.as_deref());
            }
        }
        Self { count, things: named }
    }
}

/// Compares the things of one group.
pub(super) fn compare(
    then: &Fingerprint,
    now: &Fingerprint,
    group: &Group,
    things: &Things,
    unknown: &mut BTreeSet<String>,
) -> Vec<Change> {
    let (mut old, mut new) = (Side::of(then, group, things), Side::of(now, group, things));
    let counted = old.count.is_some() && new.count.is_some();
    if !counted {
        unknown.insert(format!("{}.{}", group.name, things.count));
    }
    if things.is_renamed && counted {
        drop_equal(&mut old.things, &mut new.things);
    }
    let names: BTreeSet<&str> = old.things.keys().chain(new.things.keys()).copied().collect();
    let both = names
        .iter()
        .filter(|name| old.things.contains_key(*name) && new.things.contains_key(*name));
    let page = Page { group, things };
    let mut found = Vec::new();
    for name in both {
        page.same_place(name, &old.things[name], &new.things[name], &mut found, unknown);
    }
    let mut alone = |side: &Side<'_>, other: &Side<'_>| -> Vec<String> {
        let alone = side.things.iter().filter(|(name, _)| !other.things.contains_key(*name));
        // Of what nobody could read, nobody knows whether it was there.
        let (seen, unseen): (Vec<_>, Vec<_>) =
            alone.partition(|(_, fields)| fields.values().any(Option::is_some));
        unknown.extend(unseen.iter().map(|(name, _)| page.path(name, "")));
        seen.into_iter().map(|(name, _)| (*name).to_owned()).collect()
    };
    let (mut gone, mut come) = (alone(&old, &new), alone(&new, &old));
    if !counted {
        unknown.extend(gone.iter().chain(&come).map(|name| page.path(name, "")));
        return found;
    }
    found.extend(page.moved(&old.things, &new.things, &mut gone, &mut come));
    if let (Some(before), Some(after)) = (old.count, new.count)
        && before != after
    {
        found.insert(0, page.count((before, &gone), (after, &come)));
        return found;
    }
    let one = |name: &String, side: &Side<'_>| side.things.get(name.as_str()).map(|f| page.what(f));
    found.extend(gone.iter().map(|name| page.change(name, one(name, &old), None)));
    found.extend(come.iter().map(|name| page.change(name, None, one(name, &new))));
    found
}

/// Drops what both sides have under whatever name.
fn drop_equal(old: &mut Named<'_>, new: &mut Named<'_>) {
    let is_known = |fields: &Fields<'_>| fields.values().all(Option::is_some);
    let mut gone = Vec::new();
    for (name, fields) in old.iter().filter(|(_, fields)| is_known(fields)) {
        let same = new.iter().find(|(_, other)| *other == fields).map(|(name, _)| *name);
        if let Some(same) = same {
            new.remove(same);
            gone.push(*name);
        }
    }
    old.retain(|name, _| !gone.contains(name));
}

/// Holds the names of what is compared.
struct Page<'g> {
    group: &'g Group,
    things: &'g Things,
}

impl Page<'_> {
    fn path(&self, thing: &str, field: &str) -> String {
        let dot = if field.is_empty() { "" } else { "." };
        format!("{}.{}{thing}{dot}{field}", self.group.name, self.things.prefix)
    }

    fn change(&self, thing: &str, then: Option<String>, now: Option<String>) -> Change {
        let title = format!("{} {thing}", self.things.called);
        Change { path: self.path(thing, ""), title, then, now }
    }

    /// Says what a thing is.
    fn what(&self, fields: &Fields<'_>) -> String {
        let first = self.things.fields.first().map_or("", |(name, _)| *name);
        fields.get(first).copied().flatten().unwrap_or("not known what").to_owned()
    }

    fn identity<'f>(&self, fields: &Fields<'f>) -> Option<&'f str> {
        fields.get(self.things.identity?).copied().flatten()
    }

    /// Compares what stands in the same place on both sides.
    fn same_place(
        &self,
        thing: &str,
        old: &Fields<'_>,
        new: &Fields<'_>,
        found: &mut Vec<Change>,
        unknown: &mut BTreeSet<String>,
    ) {
        if let (Some(one), Some(other)) = (self.identity(old), self.identity(new))
            && one != other
        {
            let (then, now) = (self.what(old), self.what(new));
            let alike = then == now;
            let told = |what: String, id: &str| if alike { format!("{what} ({id})") } else { what };
            found.push(self.change(thing, Some(told(then, one)), Some(told(now, other))));
            return;
        }
        let fields: BTreeSet<&str> = old.keys().chain(new.keys()).copied().collect();
        for field in fields {
            let at = |side: &Fields<'_>| side.get(field).copied().flatten().map(str::to_owned);
            match (at(old), at(new)) {
                (Some(then), Some(now)) if then == now => {}
                (Some(then), Some(now)) => {
                    let mut change = self.change(thing, Some(then), Some(now));
                    change.path = self.path(thing, field);
                    if let Some(title) = self.things.title(field) {
                        change.title = format!("{}, {title}", change.title);
                    }
                    found.push(change);
                }
                _ => _ = unknown.insert(self.path(thing, field)),
            }
        }
    }

    /// Takes out what stands elsewhere now.
    fn moved(
        &self,
        old: &Named<'_>,
        new: &Named<'_>,
        gone: &mut Vec<String>,
        come: &mut Vec<String>,
    ) -> Vec<Change> {
        let mut found = Vec::new();
        gone.retain(|from| {
            let Some(before) = old.get(from.as_str()) else { return true };
            let is_it = |to: &String| new.get(to.as_str()).is_some_and(|f| self.is_same(before, f));
            let Some(at) = come.iter().position(is_it) else { return true };
            let to = come.remove(at);
            if let Some(after) = new.get(to.as_str()) {
                found.push(self.move_of((from, before), (&to, after)));
            }
            false
        });
        found
    }

    /// Tells whether it is the same thing in another place.
    fn is_same(&self, one: &Fields<'_>, other: &Fields<'_>) -> bool {
        match self.things.identity {
            Some(_) => self.identity(one).is_some() && self.identity(one) == self.identity(other),
            None => one == other && one.values().all(Option::is_some),
        }
    }

    fn move_of(&self, old: (&str, &Fields<'_>), new: (&str, &Fields<'_>)) -> Change {
        let told = |side: (&str, &Fields<'_>), other: &Fields<'_>| {
            let mut text = side.0.to_owned();
            for (field, title) in self.things.fields {
                let (own, others) =
                    (side.1.get(field).copied().flatten(), other.get(field).copied().flatten());
                if let (Some(own), Some(others)) = (own, others)
                    && own != others
                {
                    let _ = write!(text, ", {title} {own}");
                }
            }
            text
        };
        Change {
            path: self.path(old.0.min(new.0), ""),
            title: format!("{} moved", self.things.one),
            then: Some(told(old, new.1)),
            now: Some(told(new, old.1)),
        }
    }

    fn count(&self, old: (&str, &[String]), new: (&str, &[String])) -> Change {
        let told = |(count, alone): (&str, &[String])| {
            if alone.is_empty() {
                count.to_owned()
            } else {
                format!("{count} ({})", alone.join(", "))
            }
        };
        Change {
            path: format!("{}.{}", self.group.name, self.things.count),
            title: self.group.title(self.things.count).unwrap_or_default(),
            then: Some(told(old)),
            now: Some(told(new)),
        }
    }
}
