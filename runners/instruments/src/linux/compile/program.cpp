// Compiled and started by verify. Each feature of C++23 is used where the compiler says that it has
// it, and named in the output; the sum is wrong if one of them does not do what it should.
#include <bit>
#include <cstdint>
#include <cstdio>
#include <string_view>
#include <utility>
#include <version>

#if __cpp_lib_expected >= 202202L
#include <expected>
#endif
#if __cpp_lib_print >= 202207L
#include <print>
#endif
#if __cpp_lib_ranges_fold >= 202207L
#include <algorithm>
#endif
#if __cpp_lib_ranges_zip >= 202110L || __cpp_lib_ranges_enumerate >= 202302L
#include <ranges>
#endif

static_assert(__cplusplus > 202002L, "the compiler does not compile C++23");

static int used = 0;
static char names[512];

// Adds a feature to the output.
static void note(std::string_view name) {
  for (char letter : name) names[used++] = letter;
  names[used++] = ' ';
}

// Language: the object as a parameter. Clang has it since 18 and says so since 19.
#if __cpp_explicit_this_parameter >= 202110L || __clang_major__ >= 18
#define VERIFY_THIS 1
struct Ladder {
  int steps = 7;
  template <typename Self> constexpr auto&& own(this Self&& self) {
    return std::forward<Self>(self).steps;
  }
};
#endif

// Language: what is computed by the compiler is told from what the program computes.
constexpr int where() {
  if consteval {
    return 100;
  } else {
    return 3;
  }
}

// Language: several subscripts.
struct Grid {
  int cells[2][2] = {{1, 2}, {3, 4}};
  constexpr int operator[](std::size_t row, std::size_t column) const { return cells[row][column]; }
};

enum class Kind : std::uint8_t { order = 9 };

int main(int count, char**) {
  long sum = 0;
  constexpr int compiled = where();
  // `count` is 1, which the compiler does not know.
  sum += compiled + where() * count;
  note("if-consteval");
  sum += Grid{}[1uz, 1uz] * count;
  note("subscripts");
#if VERIFY_THIS
  Ladder ladder;
  ladder.own() += count;
  sum += ladder.own();
  note("deducing-this");
#else
  sum += 8;
#endif
  sum += static_cast<long>(std::byteswap(std::uint32_t{0x01000000}) * static_cast<unsigned>(count));
  note("byteswap");
  sum += std::to_underlying(Kind::order);
  note("to-underlying");
  sum += std::string_view{"orders"}.contains("der") ? 5 : 1000;
  note("contains");
#if __cpp_lib_expected >= 202202L
  auto checked = [count](int value) -> std::expected<int, int> {
    if (value > count) return value * 2;
    return std::unexpected(value);
  };
  sum += checked(10).value() + checked(1).error();
  note("expected");
#else
  sum += 21;
#endif
#if __cpp_lib_ranges_fold >= 202207L
  const int parts[] = {1, 2, 3};
  sum += std::ranges::fold_left(parts, count, [](int a, int b) { return a + b; });
  note("fold-left");
#else
  sum += 7;
#endif
#if __cpp_lib_ranges_zip >= 202110L
  const int left[] = {1, 2}, right[] = {3, 4};
  for (auto [a, b] : std::views::zip(left, right)) sum += a * b * count;
  note("zip");
#else
  sum += 11;
#endif
  names[used] = '\0';
#if __cpp_lib_print >= 202207L
  note("print");
  names[used] = '\0';
  std::println("verify-program {} {}", sum, names);
#else
  std::printf("verify-program %ld %s\n", sum, names);
#endif
  return 0;
}
