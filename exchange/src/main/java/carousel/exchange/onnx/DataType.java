package carousel.exchange.onnx;

import carousel.tensor.DType;
import java.util.Locale;
import java.util.stream.Stream;

/** The element types of ONNX that are met here, with the numbers of onnx.proto. */
public enum DataType {
  /** 32 bits; F32 here. */
  FLOAT(1, Float.BYTES, DType.F32),
  /** 32 bits, whole; I32 here. */
  INT32(6, Integer.BYTES, DType.I32),
  /** 64 bits, whole; I32 here, into which tokens, positions and sizes fit. */
  INT64(7, Long.BYTES, DType.I32),
  /** One byte; BOOL here. */
  BOOL(9, Byte.BYTES, DType.BOOL),
  /** 16 bits; F32 here, which has all its numbers. */
  FLOAT16(10, Short.BYTES, DType.F32),
  /** 64 bits; F64 here. */
  DOUBLE(11, Double.BYTES, DType.F64),
  /** The upper 16 bits of a FLOAT; F32 here. */
  BFLOAT16(16, Short.BYTES, DType.F32);

  private final int code;
  private final int bytes;
  private final DType dtype;

  DataType(int code, int bytes, DType dtype) {
    this.code = code;
    this.bytes = bytes;
    this.dtype = dtype;
  }

  int code() {
    return code;
  }

  int bytes() {
    return bytes;
  }

  /**
   * What holds its values here.
   *
   * @return the type of tensors
   */
  public DType dtype() {
    return dtype;
  }

  /** Whether it has half of FLOAT's bits. */
  boolean isHalf() {
    return this == FLOAT16 || this == BFLOAT16;
  }

  static DataType of(DType dtype) {
    return switch (dtype) {
      case F32 -> FLOAT;
      case F64 -> DOUBLE;
      case I32 -> INT64;
      case BOOL -> BOOL;
    };
  }

  /** By the number in a file. */
  static DataType of(long code, String what) {
    return Stream.of(values())
        .filter(type -> type.code == code)
        .findFirst()
        .orElseThrow(() ->
            new OnnxException(
                String.format(
                    Locale.ROOT,
                    "%s has element type %d of TensorProto.DataType; read are FLOAT, DOUBLE, FLOAT16,"
                        + " BFLOAT16, INT32, INT64 and BOOL: convert it where it was made",
                    what,
                    code)));
  }
}
