"""What is in the `verify` that is shipped: a bill of materials, or the notices that go with it.

    bill.py sbom BINARY      CycloneDX 1.6, as JSON
    bill.py notices          the licences' own words, as text

Both name every crate whose code ends in the binary, and what comes without a crate: SQLite and the
standard library. Same sources and same binary, same bytes: the date is SOURCE_DATE_EPOCH, the serial
number follows from the content. What only builds (build scripts, macros) is not in the binary.
"""

import datetime
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys
import uuid

ROOT = pathlib.Path(__file__).resolve().parents[2]
LICENCES = re.compile(r"(LICEN[CS]E|COPYING|NOTICE|UNLICENSE|COPYRIGHT)([-._].*)?$", re.IGNORECASE)
# How the lock file begins the source of a crate that is from no folder of ours.
FOREIGN = "registry+"


def said(*argv):
    return subprocess.run(argv, cwd=ROOT, check=True, capture_output=True, text=True).stdout


def host():
    return re.search(r"^host: (.*)$", said("rustc", "-vV"), re.MULTILINE).group(1)


def compiler():
    return re.search(r"^release: (.*)$", said("rustc", "-vV"), re.MULTILINE).group(1)


def packages():
    """Returns what cargo knows of each crate in the binary, sorted, and which uses which."""
    tree = said(
        "cargo", "tree", "--locked", "--package", "verify", "--target", host(),
        "--edges", "normal,no-proc-macro", "--prefix", "none", "--no-dedupe", "--format", "{p}",
    )
    linked = {tuple(line.split()[:2]) for line in tree.splitlines() if line}
    known = json.loads(
        said("cargo", "metadata", "--locked", "--format-version", "1", "--filter-platform", host())
    )
    found = {
        package["id"]: package
        for package in known["packages"]
        if (package["name"], "v" + package["version"]) in linked
    }
    if len(found) != len(linked):
        sys.exit(f"cargo tree names {len(linked)} crates, cargo metadata knows {len(found)} of them")
    uses = {}
    for node in known["resolve"]["nodes"]:
        if node["id"] in found:
            normal = (
                dep["pkg"] for dep in node["deps"] if any(kind["kind"] is None for kind in dep["dep_kinds"])
            )
            uses[node["id"]] = sorted(dep for dep in normal if dep in found)
    order = sorted(found, key=lambda key: (found[key]["name"], found[key]["version"]))
    return [found[key] for key in order], uses


def digests():
    """Returns the SHA-256 of each foreign crate, as the lock file has it."""
    text = (ROOT / "Cargo.lock").read_text()
    entry = re.compile(r'name = "(.+)"\nversion = "(.+)"\nsource = ".+"\nchecksum = "(.+)"')
    return {(name, version): digest for name, version, digest in entry.findall(text)}


def licence(package):
    # The notation of before SPDX expressions: a slash for "or".
    return package["license"].replace("/", " OR ").replace("  ", " ")


def purl(package):
    return f"pkg:cargo/{package['name']}@{package['version']}"


def sqlite(package):
    header = pathlib.Path(package["manifest_path"]).parent / "sqlite3/sqlite3.h"
    return re.search(r'#define SQLITE_VERSION +"(.+)"', header.read_text()).group(1)


def component(package, digest):
    entry = {
        "type": "library",
        "bom-ref": purl(package),
        "name": package["name"],
        "version": package["version"],
        "description": " ".join((package["description"] or "").split()),
        "licenses": [{"expression": licence(package)}],
        "purl": purl(package),
    }
    if digest:
        entry["hashes"] = [{"alg": "SHA-256", "content": digest}]
    if package["repository"]:
        entry["externalReferences"] = [{"type": "vcs", "url": package["repository"]}]
    return {key: value for key, value in entry.items() if value}


def sbom(binary):
    found, uses = packages()
    known = digests()
    own = next(package for package in found if package["name"] == "verify")
    refs = {package["id"]: purl(package) for package in found}
    components = [
        component(package, known.get((package["name"], package["version"])))
        for package in found
        if package is not own
    ]
    depends = [
        {"ref": refs[package["id"]], "dependsOn": sorted(refs[dep] for dep in uses[package["id"]])}
        for package in found
    ]
    standard = {
        "type": "library",
        "bom-ref": "rust-std",
        "name": "rust-std",
        "version": compiler(),
        "description": "The standard library of Rust, linked into the binary.",
        "licenses": [{"expression": "MIT OR Apache-2.0"}],
    }
    components.append(standard)
    for package in (package for package in found if package["name"] == "libsqlite3-sys"):
        version = sqlite(package)
        components.append({
            "type": "library",
            "bom-ref": "sqlite",
            "name": "sqlite",
            "version": version,
            "description": "The database, compiled from the C source that libsqlite3-sys carries.",
            "licenses": [{"license": {"id": "blessing"}}],
            "cpe": f"cpe:2.3:a:sqlite:sqlite:{version}:*:*:*:*:*:*:*",
        })
        next(d for d in depends if d["ref"] == purl(package))["dependsOn"].append("sqlite")
    next(d for d in depends if d["ref"] == purl(own))["dependsOn"].append("rust-std")
    when = datetime.datetime.fromtimestamp(int(os.environ["SOURCE_DATE_EPOCH"]), datetime.timezone.utc)
    itself = component(own, hashlib.sha256(pathlib.Path(binary).read_bytes()).hexdigest())
    bill = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "timestamp": when.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "component": {**itself, "type": "application"},
            "properties": [{"name": "verify:target", "value": host()}],
        },
        "components": components,
        "dependencies": depends,
    }
    content = json.dumps(bill, sort_keys=True)
    serial = uuid.uuid5(uuid.NAMESPACE_URL, hashlib.sha256(content.encode()).hexdigest())
    bill = {"bomFormat": bill.pop("bomFormat"), "specVersion": bill.pop("specVersion"),
            "serialNumber": f"urn:uuid:{serial}", **bill}
    print(json.dumps(bill, indent=1, ensure_ascii=True))


def notices():
    """Prints every text of a licence once, below the names of those whose it is."""
    found, _ = packages()
    owners, silent = {}, []
    for package in found:
        if not (package["source"] or "").startswith(FOREIGN):
            continue
        title = f"{package['name']} {package['version']}: {licence(package)}"
        folder = pathlib.Path(package["manifest_path"]).parent
        texts = sorted(path for path in folder.iterdir() if path.is_file() and LICENCES.match(path.name))
        for path in texts:
            words = "\n".join(line.rstrip() for line in path.read_text(errors="replace").strip().splitlines())
            owners.setdefault(words, []).append(title)
        if not texts:
            silent.append(f"{title}, by {', '.join(package['authors']) or 'its authors'}")
        if package["name"] == "libsqlite3-sys":
            silent.append(f"SQLite {sqlite(package)}: in the public domain")
    silent.append(f"The standard library of Rust {compiler()}: MIT OR Apache-2.0, by its contributors")
    print("The program verify contains code of the projects below, each with its licence.\n")
    for words, titles in owners.items():
        print("=" * 78, *titles, "-" * 78, words, "", sep="\n")
    print("=" * 78, "Without a text of their own:", *silent, sep="\n")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["sbom", binary]:
            sbom(binary)
        case ["notices"]:
            notices()
        case _:
            sys.exit(__doc__)
