package carousel.cuda.scan;

import carousel.cuda.Cuda;
import carousel.cuda.driver.CubinCache;
import carousel.cuda.driver.CudaDriver;
import carousel.cuda.driver.Precision;
import carousel.cuda.emulator.EmulatedDriver;
import carousel.cuda.emulator.GuardedMemory;
import carousel.cuda.scan.RecurrentCase.Oracle;
import carousel.tensor.DType;
import carousel.tensor.Device;
import carousel.tensor.Tensor;
import carousel.tensor.op.Composite;
import carousel.tensor.op.Interpreter;
import carousel.tensor.op.MatMul;

/** What kernels that round the operands of products to bf16 are held against, and devices that have them. */
public final class RoundedProducts {
  /** Rounds the operands of matrix products, those of gradients included. */
  private static final Interpreter ROUNDING =
      (op, in) -> {
        if (op instanceof Composite composite) {
          return composite.body().apply(in);
        }
        return op instanceof MatMul
            ? Interpreter.EAGER.apply(op, rounded(in[0]), rounded(in[1]))
            : Interpreter.EAGER.apply(op, in);
      };

  /**
   * In F64, the same operands rounded. What is left are sums in F32, and numbers so near the middle of two
   * that they fall the other way: each moves by 2⁻⁸ of itself, one among all terms of a sum.
   */
  public static final Oracle ROUNDED = new Oracle(ROUNDING, DType.F64, 1.0 / 1024);

  private RoundedProducts() {}

  private static Tensor rounded(Tensor x) {
    double[] values = x.toDoubleArray();
    for (int i = 0; i < values.length; i++) {
      int bits = Float.floatToRawIntBits((float) values[i]);
      int even = bits >>> 16 & 1;
      values[i] = Float.intBitsToFloat((bits + 0x7fff + even) & 0xffff0000);
    }
    return Tensor.of(x.shape(), values);
  }

  /** The emulated device, with or without rounding; {@code reverse}: with threads in another order. */
  static EmulatedDriver driver(Precision precision, boolean reverse) {
    Cuda.emulated(); // skips without a compiler
    return new EmulatedDriver(
        CubinCache.configured().resolve("emulated"), false, reverse, precision);
  }

  static Device device(CudaDriver driver) {
    return Device.of("cuda-emulated", Cuda.backend(driver));
  }

  /** A device that rounds, with kernels that AddressSanitizer watches. */
  public static Device sanitized() {
    var driver =
        new EmulatedDriver(
            CubinCache.configured().resolve("emulated"), true, false, Precision.BF16);
    return Device.of("cuda-emulated", Cuda.backend(driver, new GuardedMemory(driver)));
  }
}
