package carousel.tensor.op;

import carousel.tensor.DType;

/**
 * What a reduction computes over the elements of its axes; {@link ReduceAxes} is the op. NaN
 * anywhere gives NaN (the arg reductions give its position).
 */
public enum Reduce {
  /** {@code Σ x}; 0 if there is nothing, and an error if a sum of I32 does not fit. */
  SUM(Domain.NUMERIC),
  /** {@code Σ x / n}; NaN if there is nothing. */
  MEAN(Domain.FLOATING),
  /** The greatest element; an error if there is nothing. */
  MAX(Domain.NUMERIC),
  /** The smallest element; an error if there is nothing. */
  MIN(Domain.NUMERIC),
  /** {@code Π x}; 1 if there is nothing, and an error if a product of I32 does not fit. */
  PROD(Domain.NUMERIC),
  /** {@code ln Σ e^x}, overflow-safe; −∞ if there is nothing. */
  LOG_SUM_EXP(Domain.FLOATING),
  /** The Euclidean norm {@code √Σ x²}, overflow-safe; 0 if there is nothing. */
  NORM(Domain.FLOATING),
  /**
   * {@link #NORM} in F64, whatever the type of x: of many F32 numbers it may be greater than any of F32.
   */
  WIDE_NORM(Domain.FLOATING),
  /** I32: the first position of the greatest element. */
  ARG_MAX("argmax", Domain.NUMERIC),
  /** I32: the first position of the smallest element. */
  ARG_MIN("argmin", Domain.NUMERIC),
  /** BOOL: whether any element holds; false if there is nothing. */
  ANY(Domain.LOGICAL),
  /** BOOL: whether all elements hold; true if there is nothing. */
  ALL(Domain.LOGICAL);

  private final Domain domain;
  private final String label;

  Reduce(Domain domain) {
    this.domain = domain;
    this.label = Checks.label(this);
  }

  Reduce(String label, Domain domain) {
    this.domain = domain;
    this.label = label;
  }

  /** {@return the name, e.g. {@code logSumExp}} */
  public String label() {
    return label;
  }

  /** {@return the element types accepted} */
  public Domain domain() {
    return domain;
  }

  /**
   * The type of the result.
   *
   * @param input the type of the input
   * @return I32 for the arg reductions, F64 for the wide norm, else the input's type
   */
  public DType result(DType input) {
    return switch (this) {
      case ARG_MAX, ARG_MIN -> DType.I32;
      case WIDE_NORM -> DType.F64;
      default -> input;
    };
  }

  /**
   * Tells whether the result is defined for no elements.
   *
   * @return false for max, min and their positions
   */
  public boolean hasIdentity() {
    return this != MAX && this != MIN && this != ARG_MAX && this != ARG_MIN;
  }
}
