package carousel.cuda;

import carousel.cuda.driver.KernelSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * All wrong versions of a file of kernels in one: which of them runs is chosen when it does. So it is
 * compiled once.
 *
 * <p>Every number that is assigned or returned is negated, doubled and left out as a whole, and got
 * wrong in the ways of {@link WrongExpressions}. Only kernels of F64 are kept.
 */
final class KernelMutants {
  /**
   * A mutant.
   *
   * @param number which it is
   * @param site the number of the first of its statement
   * @param statement the statement that it breaks, after its file's name
   * @param wrong what is on the right side instead
   */
  record Mutant(int number, int site, String statement, String wrong) {}

  /** Whose statements are broken: what computes values. */
  private static final Set<String> FILES =
      Set.of(
          "cells.cuh",
          "gates.cuh",
          "recurrence.cuh",
          "step.cuh",
          "scan_forward.cuh",
          "scan_backward.cuh",
          "shares.cuh",
          "cross_entropy.cu",
          "layer_norm.cu",
          "dropout.cu");

  /** What {@code mutated} does by itself. */
  private static final List<String> WHOLE = List.of("negated", "doubled", "zero");

  private static final String PLACE = "[\\w.]+(?:\\[[^=;{}]*])?";
  private static final Pattern STATEMENT =
      Pattern.compile(
          "(?:(?<=\\{ )|^ *)((?:(?:T|double) \\w+|"
              + PLACE
              + ")(?: = "
              + PLACE
              + ")* \\+?=|return) ([^;{}]+);",
          Pattern.MULTILINE);
  private static final Pattern GATES = Pattern.compile("constexpr int GATES = (\\d);");
  private static final Pattern OTHER_TYPE =
      Pattern.compile("(?m)^.*(, f32,|, bf16,|\\(f32,)[^\\\\\n]*");
  private static final Pattern UNSET = Pattern.compile("(Step<T> \\w+);");

  /** What {@code mutated} is, in every file that has one. */
  private static final String CHOICE =
      """
      #include <type_traits>

      // Not in .bss, which the emulator takes for the shared memory of blocks.
      #define KEPT __attribute__((section(".data"))) static
      KEPT int chosen_mutant = -1;
      KEPT int mutant_changed = 0;
      KEPT u8 reached_sites[1 << 16] = {};

      // What a site gives: `right`, or one of the wrong ones, of which `first` is the number of the first.
      template <typename Right, typename... Wrong>
      inline __attribute__((noinline)) auto mutated(int first, Right right, Wrong... wrong) {
        auto y = right();
        if constexpr (std::is_floating_point_v<decltype(y)>) {
          reached_sites[first] = 1;
          int k = chosen_mutant - first;
          if (k >= 0 && k < WHOLE + static_cast<int>(sizeof...(wrong))) {
            auto z = k == 0 ? -y : k == 1 ? 2 * y : decltype(y)(0);
            int other = WHOLE;
            ((k == other++ ? void(z = wrong()) : void()), ...);
            mutant_changed |= !(z == y) && (z == z || y == y);
            y = z;
          }
        }
        return y;
      }

      extern "C" __global__ void choose_mutant(int number) {
        chosen_mutant = number;
        mutant_changed = 0;
      }
      extern "C" __global__ void observe_mutant(u8 *changed, u8 *reached, int count) {
        *changed = mutant_changed;
        for (int i = 0; i < count; i++) {
          reached[i] = reached_sites[i];
        }
      }
      """
          .replace("WHOLE", String.valueOf(WHOLE.size()));

  private final List<Mutant> all = new ArrayList<>();
  private final KernelSource source;

  private KernelMutants(KernelSource original) {
    Map<String, String> files = new LinkedHashMap<>();
    original
        .files()
        .forEach((name, text) -> files.put(name, FILES.contains(name) ? broken(name, text) : text));
    if (!all.isEmpty()) {
      files.computeIfPresent("common.cuh", (name, text) -> text + CHOICE);
      files.computeIfPresent(
          original.name(), (name, text) -> OTHER_TYPE.matcher(text).replaceAll(""));
    }
    source = new KernelSource(original.name(), files);
  }

  /** The wrong versions of a file; none if it computes nothing that is looked at here. */
  static KernelMutants of(KernelSource source) {
    return new KernelMutants(source);
  }

  /** The source with all of them. */
  KernelSource source() {
    return source;
  }

  /** All of them, by number. */
  List<Mutant> all() {
    return all;
  }

  private String broken(String file, String text) {
    var result = new StringBuilder();
    int gates = 1;
    for (String line : text.split("\n", -1)) {
      Matcher cell = GATES.matcher(line);
      gates = cell.find() ? Integer.parseInt(cell.group(1)) : gates;
      result.append(broken(file, line, gates)).append('\n');
    }
    return UNSET.matcher(result).replaceAll("$1 = {};");
  }

  private String broken(String file, String line, int gates) {
    boolean decides = line.contains("constexpr") || line.strip().startsWith("//");
    return decides
        ? line
        : STATEMENT
            .matcher(line)
            .replaceAll(found -> Matcher.quoteReplacement(site(file, found, gates)));
  }

  private String site(String file, MatchResult found, int gates) {
    String statement = file + ": " + found.group().strip();
    String right = found.group(2);
    int first = all.size();
    var call = new StringBuilder("mutated(" + first + ", [&] { return " + right + "; }");
    WHOLE.forEach(way -> all.add(new Mutant(all.size(), first, statement, way)));
    for (String wrong : WrongExpressions.of(right, gates)) {
      all.add(new Mutant(all.size(), first, statement, wrong));
      call.append(", [&] { return ").append(wrong).append("; }");
    }
    String left = found.group().substring(0, found.start(2) - found.start());
    return left + call + ");";
  }
}
