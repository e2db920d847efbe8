package carousel.tensor.trace;

import carousel.tensor.op.Masks;
import carousel.tensor.op.Op;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A value of one step: so many numbers for each row of the batch. Its inputs come before it.
 *
 * <p>Where values meet in a row of the op table they have one width; a single column beside more is made
 * as wide by a {@link Kind#SPREAD}. Numbers, and what is computed of numbers alone, have width 0 and fit
 * everywhere: they are computed where they are read.
 *
 * @param id its place among the values of its {@link Graph}
 * @param kind what it is
 * @param width columns; 0 of numbers
 * @param op of an {@link Kind#APPLY} the row; of a {@link Kind#FOLD} what combines two columns: {@code
 *     ADD}, {@code MAX} or {@code MIN}
 * @param inputs what it is computed from
 * @param terms of a {@link Kind#SUM} or {@link Kind#BACK}: the matrix products that are added up
 * @param index of what is part of an input, which one; of a number its place among the numbers; of a
 *     cotangent which output; of an output of an op of a user's own which application, from 1 on
 * @param offset of what is part of an input, its first column there; of an output of such an op its first
 *     column in all outputs of the application
 * @param number of a {@link Kind#CONSTANT} and of a {@link Kind#NUMBER}
 * @param stops whether no gradient flows through it, as through {@code detach}
 */
public record Value(
    int id,
    Kind kind,
    int width,
    @Nullable Op op,
    List<Value> inputs,
    List<Term> terms,
    int index,
    int offset,
    double number,
    boolean stops) {
  /** What a value is. */
  public enum Kind {
    /** Columns of an input that has rows, and of a scan others at every step. */
    INPUT,
    /** Columns of a tensor of the state before the step. */
    STATE,
    /** Columns of a tensor without rows that the step reads: the same for every row and step. */
    VECTOR,
    /** Columns of a tensor {@code [N,C]} that the step reads: of each row its own, the same at every step. */
    ROWS,
    /** A number that belongs to the graph. */
    CONSTANT,
    /** A number that the code gave: it may be another one the next time. */
    NUMBER,
    /** An elementwise row. */
    APPLY,
    /** A single column, as often as the value is wide. */
    SPREAD,
    /** All columns of its input combined into one. */
    FOLD,
    /** {@code init + Σ factor · block of a weight}; the one input is init, an {@link #INPUT}, if there is one. */
    SUM,
    /** The cotangent of an output. */
    COTANGENT,
    /** What will have arrived at its input, an output of an op of a user's own: known to who differentiates. */
    ARRIVING,
    /**
     * {@code Σ g · (block of a weight)ᵀ}: what flows back through the products of one factor. The factor
     * of each term is the SUM whose cotangent g is.
     */
    BACK
  }

  /**
   * A product with a block of a weight, {@code factor [N,K] · w[row : row+K, column : column+C]}.
   *
   * @param factor what is multiplied, from the left
   * @param weight which captured tensor
   * @param row the first row of the block
   * @param column the first column of the block
   */
  public record Term(Value factor, int weight, int row, int column) {}

  /** Whether it is a number, or computed of numbers alone: it fits values of any width. */
  public boolean isNumber() {
    return width == 0;
  }

  /** Whether nothing computes it: it is part of what the step is given. */
  public boolean isGiven() {
    return switch (kind) {
      case INPUT, STATE, VECTOR, ROWS -> true;
      default -> false;
    };
  }

  /** Whether it is a mask: what a comparison gives. */
  public boolean isTest() {
    return kind == Kind.APPLY && op != null && Masks.gives(op);
  }

  /** Whether it is an output of an op of a user's own, whose rule says what flows from it to what. */
  boolean isOwn() {
    return kind == Kind.APPLY && stops && index > 0;
  }

  /** Equal only to itself: a graph holds no two values that are computed alike. */
  @Override
  public boolean equals(@Nullable Object other) {
    return this == other;
  }

  @Override
  public int hashCode() {
    return id;
  }

  @Override
  public String toString() {
    return Wording.of(this);
  }
}
