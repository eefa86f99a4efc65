//! Why `nvidia-smi` gave no whole answer: its words and its exit status, each with what to do.
//!
//! Words come first, for 255 stands for many things, and a lost card is reported on standard error
//! with exit status 0 when the others answered. Messages stand on either stream. *Source*: manual
//! page nvidia-smi(1), RETURN VALUE; 18 and other codes are passed on from the library.

use verify_model::evidence::Stream;

/// Describes one trouble.
#[derive(Debug)]
pub(crate) struct Trouble {
    /// Its name, as the probe `nvml` has it where that knows it.
    pub state: &'static str,
    /// What it means.
    pub meaning: &'static str,
    /// What to do.
    pub next: &'static str,
    /// Whether the node says by it that there is nothing to ask.
    pub nothing: bool,
}

macro_rules! troubles {
    ($($name:ident $state:literal $nothing:literal $meaning:literal $next:literal;)*) => {
        $(pub(crate) static $name: Trouble =
            Trouble { state: $state, meaning: $meaning, next: $next, nothing: $nothing };)*
        #[cfg(test)]
        static ALL: &[&Trouble] = &[$(&$name,)*];
    };
}

troubles! {
    ARGUMENT "bad-argument" false
        "this nvidia-smi does not know an argument"
        "compare its version with the driver's; the driver may be older than 450";
    UNAVAILABLE "unavailable" false
        "the operation is not available on this device"
        "look at the model: the card does not offer it";
    PERMISSION "no-permission" false
        "this user may not ask the driver"
        "look at the modes of /dev/nvidia*, or run as root";
    NO_DEVICES "no-devices" true
        "the driver is loaded and has no card"
        "lspci -d 10de: shows whether the bus has one; then the kernel log, vfio-pci may hold it";
    POWER "no-power" false
        "a card's external power cables are not attached"
        "power off and attach the power cables of every card";
    NOT_LOADED "driver-not-loaded" true
        "the kernel module is not loaded"
        "modprobe nvidia, then the kernel log; after a kernel update rebuild it (dkms status)";
    INTERRUPT "interrupt-fault" false
        "the kernel sees a fault of a card's interrupts"
        "read the kernel log, update the firmware of the board";
    NO_LIBRARY "no-library" true
        "the driver's library libnvidia-ml.so.1 is not found"
        "install the driver's library of the module's version; ldconfig -p shows what is found";
    FUNCTION "function-missing" false
        "the library lacks a function that nvidia-smi calls"
        "install nvidia-smi, library and module of one version";
    INFOROM "inforom-corrupted" false
        "the memory in which a card keeps its own data is corrupted"
        "power off and on; if it stays, the card is to be repaired";
    LOST "gpu-lost" false
        "a card fell off the bus or cannot be reached"
        "reboot; if it comes back, reseat card and power cables and read the kernel log (Xid 79)";
    MISMATCH "version-mismatch" true
        "library and kernel module have different versions"
        "load the new module or reboot";
    DRIVER "driver-error" false
        "the driver or the library reports an error of its own"
        "read the kernel log; if it stays, reboot";
}

/// Holds what messages say, in lower case; the narrower first.
static WORDS: [(&str, &Trouble); 13] = [
    ("version mismatch", &MISMATCH),
    ("unable to determine the device handle", &LOST),
    ("gpu is lost", &LOST),
    ("fallen off the bus", &LOST),
    ("couldn't communicate with the nvidia driver", &NOT_LOADED),
    ("driver not loaded", &NOT_LOADED),
    ("couldn't find libnvidia-ml", &NO_LIBRARY),
    ("nvml: not found", &NO_LIBRARY),
    ("insufficient permissions", &PERMISSION),
    ("no devices were found", &NO_DEVICES),
    ("inforom is corrupted", &INFOROM),
    ("function not found", &FUNCTION),
    ("failed to initialize nvml", &DRIVER),
];

static CODES: [(i32, &Trouble); 13] = [
    (2, &ARGUMENT),
    (3, &UNAVAILABLE),
    (4, &PERMISSION),
    (6, &NO_DEVICES),
    (8, &POWER),
    (9, &NOT_LOADED),
    (10, &INTERRUPT),
    (12, &NO_LIBRARY),
    (13, &FUNCTION),
    (14, &INFOROM),
    (15, &LOST),
    (18, &MISMATCH),
    (255, &DRIVER),
];

/// Finds what went wrong; `messages` is what was printed beside the answer.
pub(crate) fn found(exit: i32, messages: &[&str]) -> Option<&'static Trouble> {
    let by_word = |line: &&str| {
        let line = line.to_ascii_lowercase();
        WORDS.iter().find(|(words, _)| line.contains(words)).map(|(_, trouble)| *trouble)
    };
    let by_code = || CODES.iter().find(|(code, _)| *code == exit).map(|(_, trouble)| *trouble);
    messages.iter().find_map(by_word).or_else(by_code)
}

/// Says it in one line.
pub(crate) fn sentence(trouble: &Trouble, exit: i32, messages: &[&str]) -> String {
    let said = messages.first().map_or_else(|| "no message".to_owned(), |line| short(line));
    format!("exit status {exit}: {said}; {}: {}", trouble.meaning, trouble.next)
}

/// Lists the lines of both streams that belong to no document.
pub(crate) fn messages<'a>(stdout: &'a str, stderr: &'a Stream) -> Vec<&'a str> {
    let lines = stderr.text.lines().chain(stdout.lines()).map(str::trim);
    lines.filter(|line| !line.is_empty()).collect()
}

/// Lists the cards that could not be opened, as the messages name them.
pub(crate) fn lost(messages: &[&str]) -> Vec<String> {
    let start = "unable to determine the device handle";
    let of = |line: &&&str| line.to_ascii_lowercase().contains(start);
    messages.iter().filter(of).map(|line| short(line)).collect()
}

/// Cuts a line that is too long to show.
fn short(line: &str) -> String {
    line.chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(exit: i32, line: &str) -> Option<&'static str> {
        found(exit, &[line]).map(|trouble| trouble.state)
    }

    #[test]
    fn words_say_more_than_the_exit_status() {
        for exit in [18, 255] {
            let line = "Failed to initialize NVML: Driver/library version mismatch";
            assert_eq!(state(exit, line), Some("version-mismatch"));
        }
        assert_eq!(state(255, "Failed to initialize NVML: Unknown Error"), Some("driver-error"));
        let lost = "Unable to determine the device handle for GPU1: 0000:0A:00.0: Unknown Error";
        for exit in [0, 15, 255] {
            assert_eq!(state(exit, lost), Some("gpu-lost"));
        }
    }

    #[test]
    fn every_documented_status_has_a_meaning_and_no_other_is_made_up() {
        for exit in [2, 3, 4, 6, 8, 9, 10, 12, 13, 14, 15, 18, 255] {
            assert!(state(exit, "").is_some(), "{exit}");
        }
        for exit in [0, 1, 5, 7, 127, 137] {
            assert_eq!(state(exit, "words that nobody knows"), None, "{exit}");
        }
    }

    #[test]
    fn every_trouble_says_what_it_means_and_what_to_do() {
        for trouble in ALL {
            assert!(trouble.meaning.len() > 15 && trouble.next.len() > 15, "{}", trouble.state);
        }
    }
}
