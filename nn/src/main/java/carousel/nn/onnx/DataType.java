package carousel.nn.onnx;

import carousel.tensor.DType;
import java.util.Locale;
import java.util.stream.Stream;

/** The element types of ONNX that are met here, with the numbers of onnx.proto. */
enum DataType {
  FLOAT(1, Float.BYTES),
  INT32(6, Integer.BYTES),
  INT64(7, Long.BYTES),
  DOUBLE(11, Double.BYTES);

  private final int code;
  private final int bytes;

  DataType(int code, int bytes) {
    this.code = code;
    this.bytes = bytes;
  }

  int code() {
    return code;
  }

  int bytes() {
    return bytes;
  }

  static DataType of(DType dtype) {
    return switch (dtype) {
      case F32 -> FLOAT;
      case F64 -> DOUBLE;
      case I32 -> INT32;
      case BOOL -> throw new OnnxException("tensors of BOOL are not exported");
    };
  }

  /** By the number in a file. */
  static DataType of(long code, String tensor) {
    return Stream.of(values())
        .filter(type -> type.code == code)
        .findFirst()
        .orElseThrow(() ->
            new OnnxException(
                String.format(
                    Locale.ROOT,
                    "tensor %s has element type %d of TensorProto.DataType; read are FLOAT, DOUBLE, INT32 and INT64: convert it where it was made",
                    OnnxException.quote(tensor),
                    code)));
  }
}
