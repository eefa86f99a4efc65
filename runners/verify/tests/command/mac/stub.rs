//! A folder of programs that answer as those of a Mac do, and a few that refuse what BSD refuses.
//!
//! Texts are from documents: none was captured on a Mac. What a test changes stands in files beside
//! the programs. Files of Linux are hidden, and those of macOS shown, by `head`, `ls` and `stat`.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

/// What the programs read, by the name of the file.
const SAID: &[(&str, &str)] = &[
    (
        "sysctl.txt",
        "kern.osrelease: 24.5.0\nkern.hostname: mini.local\nhw.machine: arm64\nhw.model: Mac16,11\n\
         machdep.cpu.brand_string: Apple M4 Pro\nhw.memsize: 51539607552\n\
         kern.bootsessionuuid: 00000000-0000-0000-0000-000000000001\nkern.osversion: 24F74\n\
         kern.hv_vmm_present: 0\nhw.perflevel0.physicalcpu: 10\nhw.perflevel1.physicalcpu: 4\n\
         iogpu.wired_limit_mb: 0\n",
    ),
    ("level.txt", "0\n"),
    (
        "ifconfig.txt",
        "lo0: flags=8049<UP,LOOPBACK,RUNNING,MULTICAST> mtu 16384\n\tinet 127.0.0.1 netmask 0xff000000\n\
         en0: flags=8863<UP,BROADCAST,SMART,RUNNING,SIMPLEX,MULTICAST> mtu 1500\n\
         \tether 02:00:00:00:00:01\n\tinet 10.0.0.2 netmask 0xffffff00 broadcast 10.0.0.255\n\
         \tmedia: autoselect (10Gbase-T <full-duplex,flow-control>)\n\tstatus: active\n",
    ),
    (
        "route.txt",
        "   route to: 10.0.0.1\ndestination: 10.0.0.1\n  interface: en0\n\
         \x20     flags: <UP,HOST,DONE,LLINFO,WASCLONED,IFSCOPE,IFREF>\n",
    ),
    (
        "thunderbolt.txt",
        r#"{"SPThunderboltDataType":[{"_items":[{"_name":"MacBook Pro"}],"_name":"thunderboltusb4_bus_0","receptacle_1_tag":{"current_speed_key":"40 Gb/s","receptacle_status_key":"receptacle_connected"}}]}"#,
    ),
    (
        "version.plist",
        "<plist><dict>\n<key>ProductName</key>\n<string>macOS</string>\n<key>ProductVersion</key>\n<string>15.5</string>\n</dict></plist>\n",
    ),
];

/// The programs: a name, and what `sh` does for it; `$D` is the folder.
const PROGRAMS: &[(&str, &str)] = &[
    (
        "sysctl",
        r#"R=0; for N; do grep "^$N: " "$D/sysctl.txt" || { echo "sysctl: unknown oid '$N'" >&2; R=1; }; done; exit $R"#,
    ),
    (
        "sw_vers",
        r"printf 'ProductName:\t\tmacOS\nProductVersion:\t\t15.5\nBuildVersion:\t\t24F74\n'",
    ),
    ("notifyutil", r#"[ "$1" = -g ] && echo "$2 $(cat "$D/level.txt")""#),
    ("pgrep", "echo 413"),
    (
        "pmset",
        r#"for W in 'thermal warning level' 'performance warning level' 'CPU power status'; do echo "Note: No $W has been recorded"; done"#,
    ),
    ("ifconfig", r#"cat "$D/ifconfig.txt""#),
    (
        "netstat",
        r"printf 'Name Mtu Network Address Ipkts Ierrs Ibytes Opkts Oerrs Obytes Coll Drop\nen0 1500 <Link#4> 02:00:00:00:00:01 9 0 9 9 0 9 0 0\n'",
    ),
    ("route", r#"cat "$D/route.txt""#),
    ("system_profiler", r#"cat "$D/thunderbolt.txt""#),
    ("id", "echo 501"),
    (
        "head",
        r#"N=$2; shift 2; [ "$1" = -- ] && shift
case $1 in
/System/Library/CoreServices/SystemVersion.plist) exec /usr/bin/head -c "$N" "$D/version.plist";;
/proc/*|/sys/*|/run/*|/etc/os-release|/usr/lib/os-release) echo "head: $1: No such file or directory" >&2; exit 1;;
esac
exec /usr/bin/head -c "$N" "$1""#,
    ),
    (
        "stat",
        r#"[ "$1 $2" = '-L -f' ] || { echo 'stat: illegal option -- c' >&2; exit 1; }
case $5 in /proc*|/sys*|/run*|/.*) echo "stat: $5: stat: No such file or directory" >&2; exit 1;; esac
exec /usr/bin/stat -L -c 'Regular File|%a|%u|%s' -- "$5""#,
    ),
    // A Mac has one that works; this one would read the files of the machine that stands in for it.
    ("perl", "exit 1"),
    ("ls", r#"shift $(($# - 1)); echo "ls: $1: No such file or directory" >&2; exit 1"#),
    (
        "date",
        r#"case $* in *%N*) echo 'date: illegal time format' >&2; exit 1;; esac; exec /bin/date "$@""#,
    ),
    // Reads our program as an interpreter does, and answers for the one that it is given.
    (
        "python3",
        r#"cat >/dev/null
case $* in
*transformers*) A='{"python":"3.12.3","modules":{"mlx":"0.32.4"}}';;
*" copy "*) A='{"mlx":"0.32.4","device":"Device(gpu, 0)","information":{"device_name":"Apple M4 Pro","memory_size":51539607552},"computed":{"wrong":[]},"copy":{"right":true,"buffer-bytes":2147483648,"seconds":[0.0175,0.0176,0.0175,0.0177,0.0176,0.0175,0.0176,0.0176,0.0175,0.0176,0.0175]}}';;
*) A='{"mlx":"0.32.4","device":"Device(gpu, 0)","information":{"device_name":"Apple M4 Pro","memory_size":51539607552},"computed":{"wrong":[]}}';;
esac
printf '\nverify-script/1 %s\n' "$A""#,
    ),
];

/// Writes the folder.
pub(super) fn write(folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    for (name, text) in SAID {
        fs::write(folder.join(name), text).unwrap();
    }
    for (name, line) in PROGRAMS {
        let path = folder.join(name);
        fs::write(&path, format!("#!/bin/sh\nD={}\n{line}\n", folder.display())).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
}
