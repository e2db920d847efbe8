package carousel.cuda.driver;

import carousel.tensor.TensorException;
import carousel.tensor.spi.Setting;
import java.util.Locale;

/**
 * How products of F32 matrices may round their operands. They add up in F32 all the same, and everything
 * else is F32 as it is.
 */
public enum Precision {
  /** Not at all. */
  F32,
  /** To 11 bits; whether it is done is the library's choice. */
  TF32,
  /** To 8 bits. What only products read may be stored so, in half the room. */
  BF16;

  /**
   * What the system properties ask for.
   *
   * @return F32 unless one is set
   * @throws TensorException if both are
   */
  public static Precision configured() {
    boolean tf32 = Setting.CUDA_TF32.isTrue();
    boolean bf16 = Setting.CUDA_BF16.isTrue();
    if (tf32 && bf16) {
      throw new TensorException(
          String.format(
              Locale.ROOT,
              "-D%s=true and -D%s=true exclude each other: products round to one type; leave out one of the two",
              Setting.CUDA_TF32.property(),
              Setting.CUDA_BF16.property()));
    }
    return tf32 ? TF32 : bf16 ? BF16 : F32;
  }
}
