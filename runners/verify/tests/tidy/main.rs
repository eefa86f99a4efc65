//! Holds the rules of the house that neither the compiler nor a lint can hold.
//!
//! Each rule is a pure function from text to findings, a test that applies it to the tree, and a
//! test that shows that it can fail. The tree is read once and walked by hand, so that the rules
//! need no version control and hold in an unpacked archive too. It does not judge taste.

mod code;
mod manifest;
mod paper;
mod source;
mod tree;
