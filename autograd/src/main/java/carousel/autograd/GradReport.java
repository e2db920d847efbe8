package carousel.autograd;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * What a {@link GradCheck} found.
 *
 * @param name what was checked
 * @param orders what was compared, for every order of derivative that was looked at
 * @param findings what is wrong, or could not be told, or is worth knowing; within an order the worst first
 * @param ranIn the element type that the program ran in, and what came of it
 */
public record GradReport(String name, List<Order> orders, List<Finding> findings, String ranIn) {
  private static final int MOST_SHOWN = 12;

  /** What can be said of a gradient. */
  public enum Verdict {
    /** Agrees with the differences, everywhere and to the tolerances. */
    RIGHT,
    /** Is wrong. */
    WRONG,
    /** The differences do not say: the findings tell why. */
    UNTOLD
  }

  /** What kind of thing was found. */
  public enum Kind {
    /** A gradient differs from the slope. */
    GRADIENT(Verdict.WRONG),
    /** A gradient is not a number, or infinite, where the slope is finite. */
    NOT_FINITE(Verdict.WRONG),
    /** A gradient has another shape or type than what it is the gradient of. */
    FORM(Verdict.WRONG),
    /** The program, or its gradient, fails. */
    FAILS(Verdict.WRONG),
    /** The program, or its gradient, gives something else the second time. */
    NOT_REPEATABLE(Verdict.WRONG),
    /** The directional derivative that the rules give differs from the slope. */
    FORWARD_MODE(Verdict.WRONG),
    /** The gradient is not linear in what arrives. */
    NOT_LINEAR(Verdict.WRONG),
    /** Another arrangement of an input in memory gives something else. */
    LAYOUT(Verdict.WRONG),
    /** A kernel gives something else than the code that it was made of. */
    KERNEL(Verdict.WRONG),
    /** In F32 the gradient is further from that in F64 than rounding goes. */
    PRECISION(Verdict.WRONG),
    /** The program does not read an input. */
    UNREAD(Verdict.UNTOLD),
    /** There is nothing to compare. */
    EMPTY(Verdict.UNTOLD),
    /** The program has a kink, or a jump, at the point. */
    KINK(Verdict.UNTOLD),
    /** No step was found at which the differences settle. */
    STEP(Verdict.UNTOLD),
    /** The change is lost in the rounding of the values. */
    ROUNDING(Verdict.UNTOLD),
    /** The shape of the result depends on the values of the inputs. */
    SHAPE(Verdict.UNTOLD),
    /** A value of the program is not finite at the point. */
    VALUE(Verdict.UNTOLD),
    /** Nothing is wrong. */
    NOTE(Verdict.RIGHT);

    private final Verdict verdict;

    Kind(Verdict verdict) {
      this.verdict = verdict;
    }

    /**
     * What a finding of this kind says of the gradient.
     *
     * @return the verdict
     */
    public Verdict verdict() {
      return verdict;
    }
  }

  /**
   * One thing that was found.
   *
   * @param kind what kind of thing
   * @param order of the derivative
   * @param where the input, with the element where it is one: {@code stack.0.cell.wx[3,17]}
   * @param analytic what the gradient says, along the direction that was tried; NaN if that is not what
   *     it is about
   * @param numeric what the differences say
   * @param uncertainty of the differences
   * @param text what there is to say, and what to do
   */
  public record Finding(
      Kind kind,
      int order,
      String where,
      double analytic,
      double numeric,
      double uncertainty,
      String text) {
    static Finding of(Kind kind, int order, String where, String text) {
      return new Finding(kind, order, where, Double.NaN, Double.NaN, 0, text);
    }

    /** How far off, in sizes of the larger of the two. */
    double distance() {
      double size = Math.max(Math.abs(analytic), Math.abs(numeric));
      double distance = Math.abs(analytic - numeric) / size;
      return Double.isNaN(distance) ? Double.POSITIVE_INFINITY : distance;
    }

    /** The kind, the order, the place, both values, and the text. */
    @Override
    public String toString() {
      var line = new StringBuilder();
      line.append(kind.name().toLowerCase(Locale.ROOT).replace('_', ' '));
      line.append(", order ").append(order);
      if (!where.isEmpty()) {
        line.append(", ").append(where);
      }
      if (!(Double.isNaN(analytic) && Double.isNaN(numeric))) {
        line.append(
            String.format(
                Locale.ROOT,
                ": the gradient says %.10g, differences say %.10g ± %.1e",
                analytic,
                numeric,
                uncertainty));
      }
      return text.isEmpty() ? line.toString() : line.append(": ").append(text).toString();
    }
  }

  /**
   * What was compared of one order.
   *
   * @param order of the derivative
   * @param elements numbers that the program was differentiated by
   * @param compared slopes that were compared with the gradient
   * @param failed those that differ
   * @param directions in how many random directions each input was moved; 0 if every element was moved by
   *     itself
   * @param error the largest distance of what agreed, relative to the size of the gradient
   */
  public record Order(
      int order, long elements, long compared, long failed, int directions, double error) {
    /** The multiple of a tolerance that {@link #escape} speaks of. */
    public static final int FAULT = 1000;

    /**
     * The chance that a fault is not seen. The elements of a direction are drawn from ±[½,1½] of the size of
     * what they move, so the sum that one is seen in has a density of at most 1 over what the worst element
     * adds to it: within ±τ of the right value it comes with at most 2τ over that, in each direction.
     *
     * @return an upper bound for faults of which one element alone makes {@value #FAULT} tolerances; 0 if
     *     every element was moved
     */
    public double escape() {
      return directions == 0 ? 0 : Math.pow(2.0 / FAULT, directions);
    }

    /** What was compared, and how sure it is. */
    @Override
    public String toString() {
      String how =
          directions == 0
              ? "every element by itself"
              : String.format(
                  Locale.ROOT,
                  "%d random direction%s of each input; a fault of %d tolerances escapes with %.0e at most",
                  directions,
                  directions == 1 ? "" : "s",
                  FAULT,
                  escape());
      return String.format(
          Locale.ROOT,
          "order %d: %,d slopes over %,d elements compared (%s), %,d differ, the others by %.1e at most",
          order,
          compared,
          elements,
          how,
          failed,
          error);
    }
  }

  /** Orders the findings. */
  public GradReport {
    orders = List.copyOf(orders);
    List<Finding> sorted = new ArrayList<>(findings);
    sorted.sort(
        Comparator.comparingInt((Finding f) -> rank(f.kind().verdict()))
            .thenComparingInt(Finding::order)
            .thenComparing(Comparator.comparingDouble(Finding::distance).reversed()));
    findings = List.copyOf(sorted);
  }

  private static int rank(Verdict verdict) {
    return switch (verdict) {
      case WRONG -> 0;
      case UNTOLD -> 1;
      case RIGHT -> 2;
    };
  }

  /**
   * What can be said of the gradient.
   *
   * @return wrong if anything is; else untold if anything could not be told; else right
   */
  public Verdict verdict() {
    return findings.isEmpty() ? Verdict.RIGHT : findings.getFirst().kind().verdict();
  }

  /**
   * Tells whether the gradient is right.
   *
   * @return whether the verdict is {@link Verdict#RIGHT}
   */
  public boolean passed() {
    return verdict() == Verdict.RIGHT;
  }

  /**
   * How many slopes were compared.
   *
   * @return their number, over all orders
   */
  public long compared() {
    return orders.stream().mapToLong(Order::compared).sum();
  }

  /**
   * How many slopes differ from the gradient.
   *
   * @return their number, over all orders
   */
  public long failed() {
    return orders.stream().mapToLong(Order::failed).sum();
  }

  /**
   * The largest distance of a gradient from a slope that agrees with it.
   *
   * @return relative to the size of the gradient; 0 if nothing was compared
   */
  public double error() {
    return orders.stream().mapToDouble(Order::error).max().orElse(0);
  }

  /**
   * The first of the findings, the worst.
   *
   * @return it, or null if there are none
   */
  public @Nullable Finding worst() {
    return findings.isEmpty() ? null : findings.getFirst();
  }

  /**
   * Does nothing if the gradient is right.
   *
   * @return this
   * @throws AssertionError with the report, if it is wrong or could not be told
   */
  public GradReport require() {
    if (!passed()) {
      throw new AssertionError(toString());
    }
    return this;
  }

  /** The verdict, what was compared, and the findings, the worst first. */
  @Override
  public String toString() {
    var text = new StringBuilder("gradient of ").append(name).append(": ");
    text.append(
        switch (verdict()) {
          case RIGHT -> "right";
          case WRONG -> "WRONG";
          case UNTOLD -> "CANNOT BE TOLD here";
        });
    for (Finding finding : findings.subList(0, Math.min(MOST_SHOWN, findings.size()))) {
      text.append("\n  ").append(finding);
    }
    if (findings.size() > MOST_SHOWN) {
      text.append("\n  and ").append(findings.size() - MOST_SHOWN).append(" more");
    }
    for (Order order : orders) {
      text.append("\n  ").append(order);
    }
    return ranIn.isEmpty() ? text.toString() : text.append("\n  ").append(ranIn).toString();
  }
}
