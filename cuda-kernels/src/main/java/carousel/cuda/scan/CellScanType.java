package carousel.cuda.scan;

import carousel.cuda.driver.Precision;
import carousel.tensor.DType;
import java.util.Locale;

/** What the kernels of whole sequences compute with, and what they store for products to read. */
enum CellScanType {
  /** F32 throughout. */
  F32(DType.F32, DType.F32.bytes()),
  /** F64 throughout. */
  F64(DType.F64, DType.F64.bytes()),
  /**
   * F32, but the weights that a block keeps, the states that blocks hand each other, and the gradients
   * that are multiplied by weights: these are rounded to 16 bits, see {@code bf16.cuh}.
   */
  BF16(DType.F32, 2);

  private final DType numbers;
  private final int storedBytes;

  CellScanType(DType numbers, int storedBytes) {
    this.numbers = numbers;
    this.storedBytes = storedBytes;
  }

  /** The type for tensors of a type on a device. */
  static CellScanType of(DType type, Precision precision) {
    if (type == DType.F64) {
      return F64;
    }
    return precision == Precision.BF16 ? BF16 : F32;
  }

  /** The type of tensors, and of sums. */
  DType numbers() {
    return numbers;
  }

  int bytes() {
    return numbers.bytes();
  }

  /** The bytes of what products read. */
  int storedBytes() {
    return storedBytes;
  }

  /** Whether what products read is stored once more, rounded. */
  boolean narrows() {
    return storedBytes < bytes();
  }

  /** How symbols name it. */
  String suffix() {
    return name().toLowerCase(Locale.ROOT);
  }
}
