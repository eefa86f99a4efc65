//! Reads many files on a node with one program: where perl is, a shell need not start one a file.
//!
//! It gets a list on standard input, in which every word ends with a NUL, and frames what it reads
//! just as the shell does. Without perl the shell reads file by file.

use std::fmt::Write as _;

use verify_model::ask::Ask;

use super::script::{folder_of, pattern_of, quoted};

/// Fewest files for which perl is worth its start.
const FEW: usize = 4;

/// Reads the list: `f`, number, cap, path; or `g`, number, cap, folder, paths and an empty word.
const PERL: &str = r#"
binmode STDIN; $/ = "\0"; my $n = shift;
sub put { for my $p ([*STDOUT, $_[0]], [*STDERR, $_[1]]) { my ($h, $t) = @$p; my $at = 0;
  while ($at < length $t) { my $w = syswrite $h, $t, length($t) - $at, $at; defined $w or exit 1; $at += $w } } }
sub word { my $w = <STDIN>; defined $w or exit 0; chomp $w; $w }
sub take { my ($f, $c) = @_; my ($o, $b, $h) = ("");
  open($h, "<", $f) or return ("", "$f: $!\n"); binmode $h;
  while (length $o < $c) { my $more = $c - length $o; $more = 65536 if $more > 65536;
    my $r = sysread $h, $b, $more; defined $r or return ($o, "$f: $!\n"); $r or last; $o .= $b }
  ($o, "") }
while (1) {
  my ($k, $i, $c, $f) = (word(), word(), word(), word()); my ($o, $e, $how) = ("", "", 0);
  put(("\n$n b $i\n") x 2);
  if ($k eq "f") {
    if (-d $f) { $how = "folder" } elsif (-e _ && !-f _) { $how = "special" }
    else { ($o, $e) = take($f, $c); $how = 1 if length $e }
  } else {
    my ($d, @all, $w); push @all, $w while length($w = word());
    if (opendir $d, $f) { for my $p (@all) {
      -e $p or next; my $m = "\n$n f $p\n";
      my ($x, $y) = -f _ ? take($p, $c) : ("", "expected a file, found something else\n");
      put($m . $x, $m . $y) } }
    else { ($e, $how) = ("$f: $!\n", 1) }
  }
  put("$o\n$n e $i $how\n", "$e\n$n e $i $how\n");
}
"#;

/// Tells whether an ask is one for files.
pub(in crate::transport) fn reads(ask: &Ask) -> bool {
    matches!(ask, Ask::ReadFile { .. } | Ask::ReadFiles { .. })
}

/// Writes the lines that answer asks for files; `plain` are those that do it without perl.
pub(in crate::transport) fn write(asks: &[(usize, &Ask)], plain: &str) -> String {
    let patterns = asks.iter().any(|(_, ask)| matches!(ask, Ask::ReadFiles { .. }));
    let mut list = String::new();
    for (number, ask) in asks {
        let _ = match ask {
            Ask::ReadFile { path, cap } => {
                writeln!(list, "p f {number} {} {}", cap.saturating_add(1), quoted(path))
            }
            Ask::ReadFiles { pattern, cap } => {
                let (cap, folder) = (cap.saturating_add(1), quoted(folder_of(pattern)));
                writeln!(list, "p g {number} {cap} {folder} {} ''", pattern_of(pattern))
            }
            _ => Ok(()),
        };
    }
    if asks.len() < FEW && !patterns {
        return plain.to_owned();
    }
    let perl = quoted(PERL);
    // One that is there and broken answers nothing, so it is tried first.
    format!(
        "if w perl && \"$R\" -e 1 2>/dev/null; then\n{{\n{list}}} | \"$R\" -e {perl} \"$N\"\nelse\n{plain}fi\n"
    )
}

/// Shell function that writes the words of the list.
pub(in crate::transport) const WORDS: &str = "p() { printf '%s\\000' \"$@\"; }\n";
