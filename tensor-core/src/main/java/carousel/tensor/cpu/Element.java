package carousel.tensor.cpu;

import carousel.tensor.DType;
import carousel.tensor.host.Bytes;

/** Elements of each type in memory, as doubles. */
enum Element {
  F32(DType.F32) {
    @Override
    double get(long address) {
      return Bytes.f32(address);
    }

    @Override
    void set(long address, double value) {
      Bytes.f32(address, (float) value);
    }
  },
  F64(DType.F64) {
    @Override
    double get(long address) {
      return Bytes.f64(address);
    }

    @Override
    void set(long address, double value) {
      Bytes.f64(address, value);
    }
  },
  I32(DType.I32) {
    @Override
    double get(long address) {
      return Bytes.i32(address);
    }

    @Override
    void set(long address, double value) {
      Bytes.i32(address, (int) value);
    }
  },
  BOOL(DType.BOOL) {
    @Override
    double get(long address) {
      return Bytes.i8(address);
    }

    @Override
    void set(long address, double value) {
      Bytes.i8(address, (byte) (value != 0 ? 1 : 0));
    }
  };

  private static final Element[] ALL = values();

  private final int size;

  Element(DType type) {
    this.size = type.bytes();
  }

  static Element of(DType type) {
    return ALL[type.ordinal()];
  }

  int size() {
    return size;
  }

  abstract double get(long address);

  /** Converts as Java casts, and to BOOL by {@code ≠ 0}. */
  abstract void set(long address, double value);

  /** Copies one element of {@code size} bytes. */
  static void move(int size, long from, long to) {
    switch (size) {
      case 8 -> Bytes.i64(to, Bytes.i64(from));
      case 4 -> Bytes.i32(to, Bytes.i32(from));
      default -> Bytes.i8(to, Bytes.i8(from));
    }
  }
}
