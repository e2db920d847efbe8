package carousel.cuda.driver;

import carousel.tensor.TensorException;

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

  private static final String TF32_PROPERTY = "carousel.cuda.tf32";
  private static final String BF16_PROPERTY = "carousel.cuda.bf16";

  /**
   * What the system properties ask for.
   *
   * @return F32 unless one is set
   * @throws TensorException if both are
   */
  public static Precision configured() {
    boolean tf32 = Boolean.getBoolean(TF32_PROPERTY);
    boolean bf16 = Boolean.getBoolean(BF16_PROPERTY);
    if (tf32 && bf16) {
      throw new TensorException(
          "-D%s=true and -D%s=true exclude each other: products round to one type; leave out one of the two"
              .formatted(TF32_PROPERTY, BF16_PROPERTY));
    }
    return tf32 ? TF32 : bf16 ? BF16 : F32;
  }
}
