//! What x86-64 programs ask of a CPU, in the names that `/proc/cpuinfo` has for it.
//!
//! Three tables: the levels of the psABI, the macros by which GCC and Clang say what they let
//! themselves use, and those macros that ask for nothing. *Source*: x86-64 psABI, 3.1.1; GCC, x86
//! options and `i386-c.cc`; Linux, `arch/x86/include/asm/cpufeatures.h`.

use std::collections::BTreeSet;

/// Levels of x86-64, rising; each includes those before.
const LEVELS: &[&[&str]] = &[
    &["cmov", "cx8", "fpu", "fxsr", "mmx", "syscall", "sse", "sse2"],
    &["cx16", "lahf_lm", "popcnt", "pni", "sse4_1", "sse4_2", "ssse3"],
    &["avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "abm", "movbe", "xsave"],
    &["avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"],
];

/// Macros of compilers and the flag of the CPU that each needs.
const MACROS: &[(&str, &str)] = &[
    ("__MMX__", "mmx"),
    ("__SSE__", "sse"),
    ("__SSE2__", "sse2"),
    ("__FXSR__", "fxsr"),
    ("__GCC_HAVE_SYNC_COMPARE_AND_SWAP_16", "cx16"),
    ("__LAHF_SAHF__", "lahf_lm"),
    ("__POPCNT__", "popcnt"),
    ("__SSE3__", "pni"),
    ("__SSSE3__", "ssse3"),
    ("__SSE4_1__", "sse4_1"),
    ("__SSE4_2__", "sse4_2"),
    ("__CRC32__", "sse4_2"),
    ("__AVX__", "avx"),
    ("__AVX2__", "avx2"),
    ("__BMI__", "bmi1"),
    ("__BMI2__", "bmi2"),
    ("__F16C__", "f16c"),
    ("__FMA__", "fma"),
    ("__LZCNT__", "abm"),
    ("__ABM__", "abm"),
    ("__MOVBE__", "movbe"),
    ("__XSAVE__", "xsave"),
    ("__XSAVEOPT__", "xsaveopt"),
    ("__XSAVEC__", "xsavec"),
    ("__XSAVES__", "xsaves"),
    ("__AES__", "aes"),
    ("__PCLMUL__", "pclmulqdq"),
    ("__VAES__", "vaes"),
    ("__VPCLMULQDQ__", "vpclmulqdq"),
    ("__GFNI__", "gfni"),
    ("__SHA__", "sha_ni"),
    ("__SHA512__", "sha512"),
    ("__RDRND__", "rdrand"),
    ("__RDSEED__", "rdseed"),
    ("__RDPID__", "rdpid"),
    ("__ADX__", "adx"),
    ("__FSGSBASE__", "fsgsbase"),
    ("__PRFCHW__", "3dnowprefetch"),
    ("__CLFLUSHOPT__", "clflushopt"),
    ("__CLWB__", "clwb"),
    ("__CLZERO__", "clzero"),
    ("__CLDEMOTE__", "cldemote"),
    ("__WBNOINVD__", "wbnoinvd"),
    ("__MWAITX__", "mwaitx"),
    ("__WAITPKG__", "waitpkg"),
    ("__MOVDIRI__", "movdiri"),
    ("__MOVDIR64B__", "movdir64b"),
    ("__ENQCMD__", "enqcmd"),
    ("__SERIALIZE__", "serialize"),
    ("__PCONFIG__", "pconfig"),
    ("__PKU__", "pku"),
    ("__INVPCID__", "invpcid"),
    ("__SGX__", "sgx"),
    ("__RTM__", "rtm"),
    ("__HLE__", "hle"),
    ("__SSE4A__", "sse4a"),
    ("__FMA4__", "fma4"),
    ("__XOP__", "xop"),
    ("__TBM__", "tbm"),
    ("__LWP__", "lwp"),
    ("__3dNOW__", "3dnow"),
    ("__3dNOW_A__", "3dnowext"),
    ("__AVX512F__", "avx512f"),
    ("__AVX512CD__", "avx512cd"),
    ("__AVX512BW__", "avx512bw"),
    ("__AVX512DQ__", "avx512dq"),
    ("__AVX512VL__", "avx512vl"),
    ("__AVX512ER__", "avx512er"),
    ("__AVX512PF__", "avx512pf"),
    ("__AVX512IFMA__", "avx512ifma"),
    ("__AVX512VBMI__", "avx512vbmi"),
    ("__AVX512VBMI2__", "avx512_vbmi2"),
    ("__AVX512VNNI__", "avx512_vnni"),
    ("__AVX512BITALG__", "avx512_bitalg"),
    ("__AVX512VPOPCNTDQ__", "avx512_vpopcntdq"),
    ("__AVX512VP2INTERSECT__", "avx512_vp2intersect"),
    ("__AVX512BF16__", "avx512_bf16"),
    ("__AVX512FP16__", "avx512_fp16"),
    ("__AVXVNNI__", "avx_vnni"),
    ("__AVXIFMA__", "avx_ifma"),
    ("__AVXVNNIINT8__", "avx_vnni_int8"),
    ("__AVXVNNIINT16__", "avx_vnni_int16"),
    ("__AVXNECONVERT__", "avx_ne_convert"),
    ("__CMPCCXADD__", "cmpccxadd"),
    ("__AMX_TILE__", "amx_tile"),
    ("__AMX_INT8__", "amx_int8"),
    ("__AMX_BF16__", "amx_bf16"),
    ("__AMX_FP16__", "amx_fp16"),
];

/// Macros that come with flags and ask nothing of a CPU: what it lacks of them does nothing there,
/// or they say how the compiler computes.
const HARMLESS: &[&str] = &[
    "__SHSTK__",
    "__CET__",
    "__EVEX256__",
    "__EVEX512__",
    "__PREFETCHI__",
    "__SSE_MATH__",
    "__SSE2_MATH__",
    "__MMX_WITH_SSE__",
    "__OPTIMIZE__",
    "__OPTIMIZE_SIZE__",
    "__FAST_MATH__",
    "__FINITE_MATH_ONLY__",
    "__NO_MATH_ERRNO__",
    "__NO_SIGNED_ZEROS__",
    "__NO_TRAPPING_MATH__",
    "__RECIPROCAL_MATH__",
    "__ASSOCIATIVE_MATH__",
    "__STRICT_ANSI__",
    "__ROUNDING_MATH__",
    "__CHAR_UNSIGNED__",
    "__SSP__",
    "__PIC__",
    "__PIE__",
    "__SANITIZE_ADDRESS__",
    "__SANITIZE_THREAD__",
];

/// Returns the flags that a level needs, those before it included; `None` for another word.
pub(crate) fn level(name: &str) -> Option<Vec<&'static str>> {
    let number = match name {
        "x86-64" | "x86-64-v1" => 1,
        "x86-64-v2" => 2,
        "x86-64-v3" => 3,
        "x86-64-v4" => 4,
        _ => return None,
    };
    Some(LEVELS.iter().take(number).flat_map(|level| level.iter().copied()).collect())
}

/// Returns the highest level of which a CPU has all flags; `None` where it has not even the first.
pub(crate) fn reached(flags: &BTreeSet<&str>) -> Option<i64> {
    let has = |level: &&&[&str]| level.iter().all(|wanted| flags.contains(wanted));
    let levels = LEVELS.iter().take_while(has).count();
    i64::try_from(levels).ok().filter(|levels| *levels > 0)
}

/// Returns the level that a mask of the psABI's property names, the highest bit of it.
pub(crate) fn of_mask(mask: u64) -> Option<i64> {
    let bits = u64::BITS - mask.leading_zeros();
    (1..=4).contains(&bits).then_some(i64::from(bits))
}

/// Returns the flags that macros ask for, sorted, each once.
pub(crate) fn needed<'a>(macros: impl Iterator<Item = &'a str>) -> Vec<&'static str> {
    let of = |name: &str| MACROS.iter().find(|(known, _)| *known == name).map(|(_, flag)| *flag);
    let mut flags: Vec<&str> = macros.filter_map(of).collect();
    flags.sort_unstable();
    flags.dedup();
    flags
}

/// Finds macros that look like features and stand in no table: what they need is not known.
pub(crate) fn unknown<'a>(added: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let looks = |name: &&str| {
        let inner = name.strip_prefix("__").and_then(|name| name.strip_suffix("__"));
        inner.is_some_and(|inner| {
            !inner.is_empty()
                && inner.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
        })
    };
    let known =
        |name: &&str| MACROS.iter().any(|(known, _)| known == name) || HARMLESS.contains(name);
    added.filter(looks).filter(|name| !known(name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_include_those_before_and_are_reached_only_whole() {
        let third = level("x86-64-v3").unwrap();
        assert!(third.contains(&"sse2") && third.contains(&"avx2") && !third.contains(&"avx512f"));
        assert_eq!(level("znver3"), None);
        assert_eq!(reached(&third.iter().copied().collect()), Some(3));
        // A hypervisor that hides one flag of a level takes the level away.
        let hidden: BTreeSet<&str> = third.into_iter().filter(|flag| *flag != "movbe").collect();
        assert_eq!(reached(&hidden), Some(2));
        assert_eq!(reached(&BTreeSet::from(["fpu"])), None);
        assert_eq!(
            (of_mask(0b111), of_mask(0b1), of_mask(0), of_mask(1 << 9)),
            (Some(3), Some(1), None, None)
        );
    }

    #[test]
    fn macros_are_flags_harmless_or_unknown() {
        let macros = ["__AVX2__", "__BMI__", "__znver3__", "__SHSTK__", "__APX_F__", "__x86_64__"];
        assert_eq!(needed(macros.into_iter()), ["avx2", "bmi1"]);
        assert_eq!(unknown(macros.into_iter()), ["__APX_F__"]);
    }
}
