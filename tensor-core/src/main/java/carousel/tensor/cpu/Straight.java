package carousel.tensor.cpu;

import carousel.tensor.Engine;
import carousel.tensor.Layout;
import carousel.tensor.Tensor;
import carousel.tensor.cpu.loop.Loop;
import carousel.tensor.cpu.loop.Scratch;
import carousel.tensor.host.Bytes;

/**
 * The short way of a {@link Sweep}, for operands small enough for one task that all lie in the order of
 * the result, or are one number: a loop at once, and no garbage. Most ops of a recurrent step are such,
 * and it is their overhead that counts.
 */
final class Straight {
  private Straight() {}

  /**
   * Runs a loop.
   *
   * @param grain elements per task
   * @param target the result
   * @param sources one to three operands of its shape
   * @return false, and nothing is done, if the operands do not lie so
   */
  static boolean run(Loop loop, int grain, Tensor target, Tensor... sources) {
    long n = target.size();
    if (n > grain || !Engine.layout(target).isContiguous()) {
      return false;
    }
    boolean numbers = false;
    for (Tensor x : sources) {
      if (!Engine.layout(x).isContiguous()) {
        if (!isNumber(Engine.layout(x))) {
          return false;
        }
        numbers = true;
      }
    }
    if (n == 0) {
      return true;
    }
    long splats = numbers ? Scratch.ofThread().address(3L * Loop.SPLAT_BYTES) : 0;
    Tensor a = sources[0];
    Tensor b = sources.length > 1 ? sources[1] : a;
    Tensor c = sources.length > 2 ? sources[2] : a;
    long x = at(a, splats);
    long y = b == a ? x : at(b, splats + Loop.SPLAT_BYTES);
    long z = c == a ? x : at(c, splats + 2L * Loop.SPLAT_BYTES);
    loop.run(x, step(a), y, step(b), z, step(c), Engine.address(target), (int) n);
    return true;
  }

  /** Whether all elements are one. */
  private static boolean isNumber(Layout layout) {
    for (int k = 0; k < layout.shape().rank(); k++) {
      if (layout.stride(k) != 0 && layout.shape().dim(k) != 1) {
        return false;
      }
    }
    return true;
  }

  private static int step(Tensor x) {
    return Engine.layout(x).isContiguous() ? 1 : 0;
  }

  /** Where a loop finds an operand: a number is copied as often as a vector may hold it. */
  private static long at(Tensor x, long splat) {
    if (Engine.layout(x).isContiguous()) {
      return Engine.address(x);
    }
    int size = x.dtype().bytes();
    Bytes.splat(Engine.address(x), size, splat, Loop.SPLAT_BYTES / size);
    return splat;
  }
}
