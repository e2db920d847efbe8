package carousel.tensor.cpu;

import carousel.tensor.host.Bytes;
import carousel.tensor.op.WholeNumbers;
import java.util.HashMap;
import java.util.Map;

/**
 * What sums of I32 carry beyond their 32 bits. A sum may leave the range on its way and come back; it fits if
 * what was carried out of its place in all is 0. Nearly none ever carries.
 */
final class Carries {
  private final Map<Long, Integer> carried = new HashMap<>(0);

  /** Adds the number at one address to that at another. */
  void add(long to, long from) {
    int before = Bytes.i32(to);
    int term = Bytes.i32(from);
    int after = before + term;
    Bytes.i32(to, after);
    if (((before ^ after) & (term ^ after)) < 0) {
      carried.merge(to, term < 0 ? -1 : 1, Integer::sum);
    }
  }

  /** Refuses a sum that did not come back. */
  void requireNone(String op) {
    if (carried.values().stream().anyMatch(n -> n != 0)) {
      throw WholeNumbers.overflow(op);
    }
  }
}
