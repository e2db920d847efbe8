package carousel.nn.io;

import carousel.tensor.DType;

/**
 * The element types a file may name, safetensors or NumPy's. All have a whole number of bytes; the names are
 * those of safetensors.
 *
 * <p>Source: the {@code Dtype} list of the safetensors format. Its sub-byte types (F4, F6) are not
 * part of it here: a file that holds one is refused by name. Declared widest first, in the order in
 * which a file is laid out.
 */
public enum StoredType {
  /** 64-bit unsigned. */
  U64(8),
  /** 64-bit two's complement. */
  I64(8),
  /** 64-bit IEEE 754. */
  F64(8),
  /** A pair of 32-bit floats. */
  C64(8),
  /** 32-bit IEEE 754. */
  F32(4),
  /** 32-bit unsigned. */
  U32(4),
  /** 32-bit two's complement. */
  I32(4),
  /** The upper 16 bits of an {@link #F32}. */
  BF16(2),
  /** 16-bit IEEE 754. */
  F16(2),
  /** 16-bit unsigned. */
  U16(2),
  /** 16-bit two's complement. */
  I16(2),
  /** 8-bit power of two. */
  F8_E8M0(1),
  /** 8-bit float, 4 exponent bits. */
  F8_E4M3(1),
  /** 8-bit float, 5 exponent bits. */
  F8_E5M2(1),
  /** 8-bit two's complement. */
  I8(1),
  /** 8-bit unsigned. */
  U8(1),
  /** One byte, 0 or 1. */
  BOOL(1);

  private final int bytes;

  StoredType(int bytes) {
    this.bytes = bytes;
  }

  /**
   * The size of one element.
   *
   * @return bytes per element
   */
  public int bytes() {
    return bytes;
  }

  /**
   * The type under which a tensor's elements are stored as they are.
   *
   * @param dtype the type of a tensor
   * @return the stored type of the same name
   */
  public static StoredType of(DType dtype) {
    return switch (dtype) {
      case F32 -> F32;
      case F64 -> F64;
      case I32 -> I32;
      case BOOL -> BOOL;
    };
  }
}
