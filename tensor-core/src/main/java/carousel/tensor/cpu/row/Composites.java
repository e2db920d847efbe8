package carousel.tensor.cpu.row;

import carousel.tensor.DType;
import carousel.tensor.Tensor;
import carousel.tensor.cpu.loop.Kernels;
import carousel.tensor.cpu.loop.Tiles;
import carousel.tensor.op.Agreement;
import carousel.tensor.op.Composite;
import carousel.tensor.spi.Fused;
import carousel.tensor.trace.Recent;
import carousel.tensor.trace.RowTrace;
import carousel.tensor.trace.Untraced;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.WeakHashMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Makes kernels of pointwise composites. A body is traced at every call, so that its kernel does what it
 * does now; bodies that compute the same share what is compiled. A {@linkplain Composite#fixed fixed} one
 * is traced once for each form of its inputs.
 */
public final class Composites {
  private static final int MOST_KERNELS = 500;

  /** Bodies that had no kernel so many times in a row are not traced again. */
  private static final int MOST_TRIES = 3;

  private final Kernels kernels;
  private final Function<DType, Tiles> tiles;
  private final Map<Composite.Body, List<Known>> fixed = new WeakHashMap<>();
  private final Map<Composite.Body, Integer> untraced = new WeakHashMap<>();
  private final Map<Key, Made> made = new Recent<>(MOST_KERNELS);

  /** A form that a fixed body has met; without a plan, the body runs as it is written. */
  private record Known(RowForm form, @Nullable RowPlan plan, List<Double> numbers) {}

  /** What is compiled. */
  private record Key(DType type, List<Integer> columns, List<Boolean> vectors, String signature) {}

  /** A plan, if there is one, and the numbers of its last call. */
  private record Made(@Nullable RowPlan plan, List<Double> numbers) {}

  /**
   * Kernels from given loops.
   *
   * @param kernels make the loops
   * @param tiles the tiles of an element type, which know its vectors
   */
  public Composites(Kernels kernels, Function<DType, Tiles> tiles) {
    this.kernels = kernels;
    this.tiles = tiles;
  }

  /** The kernel of a composite; null if its body has to run. */
  public @Nullable Fused of(Composite op, Tensor... inputs) {
    var form = RowForm.of(inputs);
    if (form == null) {
      return null;
    }
    Known known = op.isFixed() ? fixed(op, form, inputs) : trace(op, form, inputs);
    if (known == null || known.plan() == null) {
      return null;
    }
    RowPlan plan = known.plan();
    var kernel = new RowKernel(plan, tiles.apply(form.type()).lanes(), known.numbers());
    return kernel.takes(inputs) ? kernel : null;
  }

  private Known fixed(Composite op, RowForm form, Tensor... inputs) {
    synchronized (fixed) {
      for (Known met : fixed.getOrDefault(op.body(), List.of())) {
        if (met.form().matches(form)) {
          return met;
        }
      }
    }
    Known traced = trace(op, form, inputs);
    Known met = traced == null ? new Known(form, null, List.of()) : traced;
    synchronized (fixed) {
      fixed.computeIfAbsent(op.body(), body -> new ArrayList<>()).add(met);
    }
    return met;
  }

  private @Nullable Known trace(Composite op, RowForm form, Tensor... inputs) {
    synchronized (made) {
      if (untraced.getOrDefault(op.body(), 0) >= MOST_TRIES) {
        return null;
      }
    }
    try {
      RowTrace trace = form.trace(op.body(), inputs);
      var key = new Key(form.type(), form.columnList(), form.vectorList(), trace.signature());
      List<Double> numbers = List.copyOf(trace.graph().numbers());
      Made before;
      synchronized (made) {
        before = made.get(key);
      }
      if (before == null || !before.numbers().equals(numbers)) {
        requireSame(trace, form.trace(op.body(), inputs));
        RowPlan plan =
            before == null ? RowPlan.of(trace, form, inputs[0].device(), kernels) : before.plan();
        before = new Made(plan, numbers);
      }
      synchronized (made) {
        made.put(key, before);
        untraced.remove(op.body());
      }
      return new Known(form, before.plan(), numbers);
    } catch (Untraced e) {
      synchronized (made) {
        untraced.merge(op.body(), 1, Integer::sum);
      }
      return null;
    } catch (StackOverflowError e) {
      // So many ops follow one another in it that this thread's stack does not hold them.
      synchronized (made) {
        untraced.put(op.body(), MOST_TRIES);
      }
      return null;
    } catch (RuntimeException | LinkageError e) {
      String _ = Agreement.notMade(op.label(), e);
      synchronized (made) {
        untraced.put(op.body(), MOST_TRIES);
      }
      return null;
    }
  }

  /** What comes out different each time is none of what the body is given. */
  private static void requireSame(RowTrace first, RowTrace second) {
    if (!first.signature().equals(second.signature())
        || !first.graph().numbers().equals(second.graph().numbers())) {
      throw new Untraced("what it computes changes from one run to the next");
    }
  }
}
