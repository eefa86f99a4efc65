//! Answers which drives the machine has, and what lies under one path: mount, options, free space.
//!
//! A drive has a device in sysfs and holds something; partitions, loop, RAM and mapped devices,
//! optical drives and the hidden paths of a multipath NVMe drive are none. Which mount holds the
//! path is for `df` to say, which follows links; its options come from mountinfo. Health (SMART)
//! and speed are not answered here.

use std::collections::BTreeMap;

use verify_model::{
    ask::Ask,
    effect::Effect,
    evidence::Evidence,
    field::FieldKind::{self, Bool, Integer, List, Quantity as Amount, Text},
    node::Facts,
    observation::{AttemptError, Observation},
    quantity::Quantity,
    value::Value,
};

use crate::{
    gathered::{Gathered, count, reason},
    parse::{
        df,
        mountinfo::{self, Mount},
    },
    probe::{ParamKind, ParamSpec, Probe, ProbeSpec, With, field, text_of, texts},
};

pub(super) struct Storage;

const BLOCK: &str = "/sys/block";
const SIZES: &str = "/sys/block/*/size";
const HIDDEN: &str = "/sys/block/*/hidden";
const ROTATIONAL: &str = "/sys/block/*/queue/rotational";
const DEVICES: &str = "/sys/block/*/device/uevent";
const MODELS: &str = "/sys/block/*/device/model";
const VENDORS: &str = "/sys/block/*/device/vendor";
const SPEED: &str = "/sys/block/*/device/device/current_link_speed";
const WIDTH: &str = "/sys/block/*/device/device/current_link_width";
const MAX_SPEED: &str = "/sys/block/*/device/device/max_link_speed";
const MAX_WIDTH: &str = "/sys/block/*/device/device/max_link_width";
const PATTERNS: [&str; 10] =
    [SIZES, HIDDEN, ROTATIONAL, DEVICES, MODELS, VENDORS, SPEED, WIDTH, MAX_SPEED, MAX_WIDTH];

/// How names of block devices begin that have a device and are no drives.
const NO_DRIVES: [&str; 3] = ["sr", "fd", "mtdblock"];
/// How names of parts of a memory card end.
const CARD_PARTS: [&str; 3] = ["boot0", "boot1", "rpmb"];
/// Vendors of SCSI drives that a hypervisor makes.
const VIRTUAL: [&str; 7] = ["QEMU", "VMware", "VBOX", "Msft", "Google", "Linode", "XEN"];

const SPACE: &str = "df -P -k";
const INODES: &str = "df -P -i";
/// Facts about the mount, in which nothing is known where the path is not.
const MOUNT_FACTS: [&str; 9] = [
    "mount-point",
    "device",
    "filesystem",
    "options",
    "read-only",
    "size",
    "free",
    "free-share",
    "inodes-free",
];

fn integers() -> FieldKind {
    List(Box::new(Integer))
}

fn speeds() -> FieldKind {
    List(Box::new(Amount("GT/s")))
}

static SPEC: ProbeSpec = ProbeSpec {
    name: "storage",
    summary: "Which drives the machine has, and what mount and free space lie under a path.",
    effect: Effect::Reads,
    depends: &[],
    params: &[ParamSpec {
        name: "path",
        kind: ParamKind::Text,
        required: false,
        doc: "Absolute path whose mount is meant; `/` unless given.",
    }],
    fields: &[
        field("drives.name", texts, BLOCK, "Names of the drives, such as `nvme0n1`."),
        field("drives.model", texts, MODELS, "Their models."),
        field("drives.size", || List(Box::new(Amount("B"))), SIZES, "Their sizes."),
        field(
            "drives.rotational",
            || List(Box::new(Bool)),
            ROTATIONAL,
            "Whether they turn; of a virtual drive, what the hypervisor says.",
        ),
        field(
            "drives.kind",
            texts,
            VENDORS,
            "How they are attached: `nvme`, `sata`, `scsi`, `mmc`, `virtual`, `other`.",
        ),
        field("drives.link-speed", speeds, SPEED, "PCIe speed of NVMe drives now."),
        field("drives.link-width", integers, WIDTH, "PCIe lanes of NVMe drives now."),
        field("drives.max-link-speed", speeds, MAX_SPEED, "PCIe speed that the drive can do."),
        field("drives.max-link-width", integers, MAX_WIDTH, "PCIe lanes that the drive has."),
        field(
            "nvme.count",
            || Integer,
            BLOCK,
            "Number of NVMe drives, whatever namespaces they are divided into.",
        ),
        field("nvme.largest", || Amount("B"), SIZES, "Size of the largest NVMe drive."),
        field("nvme.smallest", || Amount("B"), SIZES, "Size of the smallest NVMe drive."),
        field("nvme.reduced", texts, SPEED, "NVMe drives whose PCIe link is below their best."),
        field("mount-point", || Text, SPACE, "Where the filesystem of the path is mounted."),
        field("device", || Text, SPACE, "Device of the mount, or what stands for one."),
        field("filesystem", || Text, mountinfo::PATH, "Type of the filesystem, such as `ext4`."),
        field("options", texts, mountinfo::PATH, "Options of the mount and of the filesystem."),
        field("read-only", || Bool, mountinfo::PATH, "Whether mount or filesystem is read-only."),
        field("size", || Amount("KiB"), SPACE, "Size of the filesystem."),
        field("free", || Amount("KiB"), SPACE, "Space that ordinary users can still fill."),
        field(
            "free-share",
            || Amount("%"),
            SPACE,
            "Share of `free` in what ordinary users can have at all; 100 % less df's `Capacity`.",
        ),
        field("inodes-free", || Integer, INODES, "Files that can still be made."),
    ],
    example: r#"with = { path = "/data" }
expect = { mount-point = "/data", read-only = false, free-share = { at-least = "5 %" } }"#,
};

impl Probe for Storage {
    fn spec(&self) -> &'static ProbeSpec {
        &SPEC
    }

    fn asks(&self, with: With<'_>, _facts: &Facts) -> Result<Vec<Ask>, String> {
        let path = path(with);
        if !path.starts_with('/') || path.contains('\0') {
            return Err(format!("`{path}` is not an absolute path"));
        }
        let drives = PATTERNS.map(Ask::files);
        let mount = [
            Ask::Stat { path: path.to_owned() },
            Ask::exec(df_of(SPACE, path)),
            Ask::exec(df_of(INODES, path)),
            Ask::file(mountinfo::PATH),
        ];
        let folder = Ask::List { path: BLOCK.to_owned() };
        Ok([folder].into_iter().chain(drives).chain(mount).collect())
    }

    fn read(&self, with: With<'_>, evidence: &[&Evidence]) -> Result<Observation, AttemptError> {
        let gathered = Gathered(evidence);
        let drives = drives(gathered);
        let (shown, nvme) = match &drives {
            Ok(drives) => (Value::List(drives.iter().map(Drive::shown).collect()), nvme(drives)),
            Err(why) => (Value::Unreadable(why.clone()), Value::Unreadable(why.clone())),
        };
        let seen = Observation::default().fact("drives", shown).fact("nvme", nvme);
        let mount = mount(gathered, path(with));
        Ok(MOUNT_FACTS.iter().zip(mount).fold(seen, |seen, (name, value)| seen.fact(name, value)))
    }
}

fn path(with: With<'_>) -> &str {
    with.text("path").unwrap_or("/")
}

fn df_of<'a>(command: &'a str, path: &'a str) -> Vec<&'a str> {
    command.split(' ').chain(["--", path]).collect()
}

/// Holds one file of sysfs of every block device.
struct Attribute<'a>(BTreeMap<&'a str, Result<&'a str, String>>);

impl<'a> Attribute<'a> {
    fn gather(gathered: Gathered<'a>, pattern: &str) -> Result<Self, String> {
        match gathered.files(pattern) {
            Ok(files) => {
                let named = files.into_iter().filter_map(|(path, text)| {
                    Some((path.strip_prefix(BLOCK)?.split('/').nth(1)?, text))
                });
                Ok(Self(named.collect()))
            }
            Err(Value::Absent(_)) => Ok(Self(BTreeMap::new())),
            Err(why) => Err(reason(why)),
        }
    }

    fn of(&self, name: &str, parse: impl Fn(&'a str) -> Result<Value, String>) -> Value {
        match self.0.get(name) {
            Some(Ok(text)) => parse(text).unwrap_or_else(Value::Unreadable),
            Some(Err(why)) => Value::Unreadable(why.clone()),
            None => Value::Absent(format!("sysfs does not say so of {name}")),
        }
    }
}

struct Drive<'a> {
    name: &'a str,
    kind: &'static str,
    size: Value,
    facts: [(&'static str, Value); 6],
}

impl Drive<'_> {
    fn shown(&self) -> Value {
        let own = [
            ("name", Value::text(self.name)),
            ("kind", Value::text(self.kind)),
            ("size", self.size.clone()),
        ];
        let all = own.into_iter().chain(self.facts.iter().cloned());
        Value::Record(all.map(|(name, value)| (name.to_owned(), value)).collect())
    }

    fn fact(&self, name: &str) -> Value {
        let found = self.facts.iter().find(|(own, _)| *own == name);
        found.map_or_else(|| Value::Unreadable(format!("no `{name}`")), |(_, v)| v.clone())
    }
}

fn drives(gathered: Gathered<'_>) -> Result<Vec<Drive<'_>>, String> {
    let names = gathered.names(BLOCK).map_err(reason)?;
    let file = |pattern| Attribute::gather(gathered, pattern);
    let (sizes, hidden, devices) = (file(SIZES)?, file(HIDDEN)?, file(DEVICES)?);
    let (models, vendors, rotational) = (file(MODELS)?, file(VENDORS)?, file(ROTATIONAL)?);
    let links = [file(SPEED)?, file(WIDTH)?, file(MAX_SPEED)?, file(MAX_WIDTH)?];
    let is_hidden = |name: &str| hidden.0.get(name).is_some_and(|h| h.as_deref() == Ok("1"));
    let is_drive = |name: &&str| {
        devices.0.contains_key(name)
            && !is_hidden(name)
            && !NO_DRIVES.iter().any(|start| name.starts_with(start))
            && !CARD_PARTS.iter().any(|end| name.ends_with(end))
            && sizes.0.get(name).is_none_or(|size| size.as_deref() != Ok("0"))
    };
    let drive = |name| {
        // A multipath drive has its PCIe link under its hidden path: nvme0c0n1 for nvme0n1.
        let path = names.iter().copied().find(|p| is_hidden(p) && without_path(p) == name);
        let link = |at: usize, parse: fn(&str) -> Result<Value, String>| {
            let found = links[at].of(name, parse);
            path.filter(|_| !found.is_present()).map_or(found, |path| links[at].of(path, parse))
        };
        Drive {
            name,
            kind: kind(name, vendors.0.get(name).and_then(|v| v.as_deref().ok())),
            size: sizes.of(name, sectors),
            facts: [
                ("model", models.of(name, |text| Ok(Value::text(text.trim())))),
                ("rotational", rotational.of(name, flag)),
                ("link-speed", link(0, speed)),
                ("link-width", link(1, lanes)),
                ("max-link-speed", link(2, speed)),
                ("max-link-width", link(3, lanes)),
            ],
        }
    };
    Ok(names.iter().copied().filter(is_drive).map(drive).collect())
}

/// Returns the name of the drive to which a path such as `nvme0c0n1` leads.
fn without_path(name: &str) -> String {
    let parts = name.split_once('c').and_then(|(drive, rest)| Some((drive, rest.split_once('n')?)));
    parts.map_or_else(|| name.to_owned(), |(drive, (_, space))| format!("{drive}n{space}"))
}

/// Returns the name of the drive to which a namespace such as `nvme0n1` belongs.
fn without_namespace(name: &str) -> &str {
    name.rfind('n').filter(|at| *at > 0).map_or(name, |at| &name[..at])
}

fn kind(name: &str, vendor: Option<&str>) -> &'static str {
    match vendor.map(str::trim) {
        _ if name.starts_with("nvme") => "nvme",
        _ if name.starts_with("mmcblk") => "mmc",
        _ if name.starts_with("vd") || name.starts_with("xvd") => "virtual",
        Some("ATA") => "sata",
        Some(vendor) if VIRTUAL.iter().any(|v| vendor.eq_ignore_ascii_case(v)) => "virtual",
        Some(_) if name.starts_with("sd") => "scsi",
        _ => "other",
    }
}

/// Reads a size in sectors of 512 B, whatever the drive's own block size is.
///
/// *Source*: `Documentation/ABI/stable/sysfs-block`, `size`.
fn sectors(text: &str) -> Result<Value, String> {
    let wrong = || format!("expected a number of sectors, found `{text}`");
    let sectors: u64 = text.parse().map_err(|_| wrong())?;
    #[expect(clippy::cast_precision_loss, reason = "2^53 sectors are 4 EiB")]
    amount(sectors as f64 * 512.0, "B")
}

fn flag(text: &str) -> Result<Value, String> {
    match text {
        "0" => Ok(Value::Bool(false)),
        "1" => Ok(Value::Bool(true)),
        _ => Err(format!("expected 0 or 1, found `{text}`")),
    }
}

/// Reads a link speed such as `16.0 GT/s PCIe`.
fn speed(text: &str) -> Result<Value, String> {
    if text.starts_with("Unknown") {
        return Ok(Value::Absent(format!("sysfs says `{text}`")));
    }
    let number = text.split_once(" GT/s").and_then(|(number, _)| number.parse().ok());
    amount(number.ok_or_else(|| format!("expected a speed in GT/s, found `{text}`"))?, "GT/s")
}

/// Reads a number of lanes; 0 and 255 stand for a link that is not there.
fn lanes(text: &str) -> Result<Value, String> {
    match text.parse::<u8>() {
        Ok(0 | 255) => Ok(Value::Absent(format!("sysfs says `{text}`: no link"))),
        Ok(lanes) => Ok(Value::Integer(i64::from(lanes))),
        Err(_) => Err(format!("expected a number of lanes, found `{text}`")),
    }
}

fn amount(number: f64, unit: &str) -> Result<Value, String> {
    Quantity::of(number, unit).map(Value::Quantity).map_err(|error| error.to_string())
}

fn nvme(drives: &[Drive<'_>]) -> Value {
    let nvme: Vec<&Drive<'_>> = drives.iter().filter(|drive| drive.kind == "nvme").collect();
    let none = || Value::Absent("there is no NVMe drive".to_owned());
    let unread = nvme.iter().find(|drive| !drive.size.is_present()).map(|drive| &drive.size);
    // A drive that is divided into namespaces shows each as one of its own.
    let mut sizes: BTreeMap<&str, f64> = BTreeMap::new();
    for drive in &nvme {
        let size_b = if let Value::Quantity(size) = drive.size { size.base() } else { 0.0 };
        *sizes.entry(without_namespace(drive.name)).or_default() += size_b;
    }
    let size = |found: Option<&f64>| match (unread, found) {
        (Some(why), _) => why.clone(),
        (None, Some(size_b)) => amount(*size_b, "B").unwrap_or_else(Value::Unreadable),
        (None, None) => none(),
    };
    Value::record([
        ("count", count(sizes.len())),
        ("largest", size(sizes.values().max_by(|a, b| a.total_cmp(b)))),
        ("smallest", size(sizes.values().min_by(|a, b| a.total_cmp(b)))),
        ("reduced", if nvme.is_empty() { none() } else { reduced(&nvme) }),
    ])
}

/// Lists the drives whose link is slower or narrower than it could be.
fn reduced(nvme: &[&Drive<'_>]) -> Value {
    let mut found = Vec::new();
    for drive in nvme {
        let now = [drive.fact("link-speed"), drive.fact("link-width")];
        let best = [drive.fact("max-link-speed"), drive.fact("max-link-width")];
        if let Some(why) = now.iter().chain(&best).find(|value| !value.is_present()) {
            return why.clone();
        }
        if now != best {
            found.push(Value::text(drive.name));
        }
    }
    Value::List(found)
}

/// Reads the mount that holds a path, in the order of [`MOUNT_FACTS`].
fn mount(gathered: Gathered<'_>, path: &str) -> [Value; 9] {
    let all = |why: Value| std::array::from_fn(|_| why.clone());
    match gathered.stands(path) {
        Ok(true) => {}
        Ok(false) => return all(Value::Absent(format!("{path} does not exist"))),
        Err(why) => return all(Value::Unreadable(why)),
    }
    let row = |command| {
        let evidence = gathered.program(&df_of(command, path));
        let text = evidence.and_then(text_of).map_err(|error| error.message)?;
        df::Row::parse(text)
    };
    let (space, inodes) = (row(SPACE), row(INODES));
    let of = |read: fn(&df::Row<'_>) -> Value| {
        space.as_ref().map_or_else(|why| Value::Unreadable(why.clone()), read)
    };
    let found = space.as_ref().map_err(Clone::clone).and_then(|row| mounted(gathered, row));
    let about = |read: fn(&Mount) -> Value| {
        found.as_ref().map_or_else(|why| Value::Unreadable(why.clone()), read)
    };
    [
        of(|row| Value::text(row.mount_point)),
        of(|row| Value::text(row.device)),
        about(|mount| Value::text(mount.filesystem.as_str())),
        about(|mount| Value::List(mount.options.iter().map(Value::text).collect())),
        about(|mount| Value::Bool(mount.options.iter().any(|option| option == "ro"))),
        of(|row| kib(row, size(row))),
        of(|row| kib(row, row.number(&["Available"]))),
        of(free_share),
        inodes.map_or_else(Value::Unreadable, |row| inodes_free(&row)),
    ]
}

fn mounted(gathered: Gathered<'_>, row: &df::Row<'_>) -> Result<Mount, String> {
    let text = gathered.text(mountinfo::PATH).map_err(|error| error.message)?;
    let point = row.mount_point;
    mountinfo::on_top(text, point)?.ok_or_else(|| {
        format!("df names the mount point {point}, and {} does not", mountinfo::PATH)
    })
}

fn size(row: &df::Row<'_>) -> Option<i64> {
    row.number(&["1024-blocks", "1K-blocks"])
}

/// Shows an amount of space, which only a filesystem with a size has.
fn kib(row: &df::Row<'_>, number: Option<i64>) -> Value {
    match (size(row), number) {
        // Below zero where root has taken from its reserve: there is nothing left for others.
        (Some(1..), Some(number)) =>
        {
            #[expect(clippy::cast_precision_loss, reason = "2^53 KiB are 8 ZiB")]
            amount(number.max(0) as f64, "KiB").unwrap_or_else(Value::Unreadable)
        }
        (Some(1..), None) => Value::Unreadable("df does not say how much".to_owned()),
        _ => Value::Absent(format!("the filesystem at {} has no size", row.mount_point)),
    }
}

fn free_share(row: &df::Row<'_>) -> Value {
    match (size(row), row.number(&["Used"]), row.number(&["Available"])) {
        (Some(1..), Some(used @ 0..), Some(free)) if used.saturating_add(free.max(0)) > 0 => {
            #[expect(clippy::cast_precision_loss, reason = "2^53 KiB are 8 ZiB")]
            let (used, free) = (used as f64, free.max(0) as f64);
            amount(100.0 * free / (used + free), "%").unwrap_or_else(Value::Unreadable)
        }
        _ => kib(row, None),
    }
}

fn inodes_free(row: &df::Row<'_>) -> Value {
    let total = row.number(&["Inodes"]);
    match (total, row.inodes_free()) {
        (Some(0), _) => Value::Absent("the filesystem makes inodes as it needs them".to_owned()),
        (_, Some(free @ 0..)) => Value::Integer(free),
        (_, _) => Value::Absent("df does not say how many files can be made".to_owned()),
    }
}
