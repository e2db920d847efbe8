package carousel.tensor.cpu.step;

import carousel.tensor.op.Op;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A value of one step, H numbers for each row of the batch; its inputs come before it.
 *
 * @param id its place among the values of its {@link Graph}
 * @param kind what it is
 * @param op of an {@link Kind#APPLY}
 * @param inputs what it is computed from
 * @param terms of a {@link Kind#SUM} or {@link Kind#BACK}: the matrix products that are added up
 * @param index of a gate its block of z's columns; of what is part of an input, a state or a cotangent which one
 * @param chunk of a vector or a part, its block of columns
 * @param number of a {@link Kind#CONSTANT}
 */
public record Value(
    int id,
    Kind kind,
    @Nullable Op op,
    List<Value> inputs,
    List<Term> terms,
    int index,
    int chunk,
    double number) {
  /** What a value is. */
  public enum Kind {
    /** A block of H columns of the projected input. */
    GATE,
    /** A tensor of the state before the step. */
    STATE,
    /** A block of a weight without rows: the same for every row and step. */
    VECTOR,
    /** A block of H columns of a composite's input. */
    PART,
    CONSTANT,
    /** An elementwise row. */
    APPLY,
    /** {@code init + Σ source · block of a weight}; the first input is init, if there is one. */
    SUM,
    /** The cotangent of an output: of y for index 0, of a state after that. */
    COTANGENT,
    /** {@code Σ g · (block of a weight)ᵀ}: what flows back through the products of one source. */
    BACK
  }

  /**
   * A product with a block of a weight.
   *
   * @param factor what is multiplied, from the left
   * @param weight which input of the scan
   * @param row the block of H rows
   * @param column the block of H columns
   */
  public record Term(Value factor, int weight, int row, int column) {}

  /** Equal only to itself: a graph holds no two values that are computed alike. */
  @Override
  public boolean equals(@Nullable Object other) {
    return this == other;
  }

  @Override
  public int hashCode() {
    return id;
  }
}
