package carousel.nn.random;

import java.util.List;
import java.util.function.Predicate;
import java.util.stream.IntStream;

/**
 * What is left of the things that a program holds when those that nobody reads are gone.
 *
 * @param weights which parameters are read
 * @param captured which tensors
 * @param numbers which numbers
 */
record Unused(List<Integer> weights, List<Integer> captured, List<Integer> numbers) {
  static Unused of(List<Node> nodes, int weights, int captured, int numbers) {
    return new Unused(
        read(weights, i -> nodes.contains(new Node.Weight(i))),
        read(captured, i -> nodes.contains(new Node.Captured(i))),
        read(numbers, i -> nodes.contains(new Node.Annealed(i))));
  }

  private static List<Integer> read(int count, Predicate<Integer> isRead) {
    return IntStream.range(0, count).boxed().filter(isRead).toList();
  }

  /** A node that reads them at their new places. */
  Node renumbered(Node node) {
    return switch (node) {
      case Node.Weight(int i) -> new Node.Weight(weights.indexOf(i));
      case Node.Captured(int i) -> new Node.Captured(captured.indexOf(i));
      case Node.Annealed(int i) -> new Node.Annealed(numbers.indexOf(i));
      default -> node;
    };
  }
}
