package carousel.tensor.contract;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/**
 * Which combinations of choices (a cell, a case, a direction, a type) a suite tries: of all those every
 * k-th, such that any two choices still meet wherever there is a further one of at least k. {@code
 * -Dcarousel.combinations=all} tries every one.
 */
public final class Combinations {
  private static final boolean ALL = "all".equals(System.getProperty("carousel.combinations"));

  private Combinations() {}

  /**
   * Whether a combination is tried: those of which the numbers add up to a multiple of {@code every}.
   *
   * @param every one in so many
   * @param choices the number of each choice among its kind
   */
  public static boolean isTried(int every, int... choices) {
    return ALL || Arrays.stream(choices).sum() % every == 0;
  }

  /**
   * One of several choices, another for another case, as if by lot but always the same; all of them if
   * every combination is wanted.
   *
   * @param choices what there is
   * @param of the case, in words
   */
  public static <T> List<T> oneOf(List<T> choices, String of) {
    int chosen = Math.floorMod((of.hashCode() * 0x9E3779B9) >>> 8, choices.size());
    return ALL ? choices : List.of(choices.get(chosen));
  }

  /** A choice and its number. */
  public record Numbered<T>(int number, T value) {}

  /** Choices, numbered from 0. */
  public static <T> Stream<Numbered<T>> numbered(Stream<T> choices) {
    List<T> all = choices.toList();
    return Stream.iterate(0, i -> i + 1).limit(all.size()).map(i -> new Numbered<>(i, all.get(i)));
  }
}
