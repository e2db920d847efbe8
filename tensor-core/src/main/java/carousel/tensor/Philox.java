package carousel.tensor;

import carousel.tensor.op.Distribution;

/**
 * The counter-based generator Philox4x32-10 (Salmon, Moraes, Dror and Shaw, "Parallel random
 * numbers: as easy as 1, 2, 3", SC 2011): a block of four 32-bit words is a keyed permutation of a
 * 128-bit counter, so any number can be had without those before it, on any device and any number
 * of threads.
 *
 * <p>An instance is a position in the stream of one seed; drawing moves it on. Not safe for several
 * threads: {@link #split} gives each its own.
 */
public final class Philox {
  private static final int M0 = 0xD2511F53;
  private static final int M1 = 0xCD9E8D57;
  private static final int W0 = 0x9E3779B9;
  private static final int W1 = 0xBB67AE85;
  private static final int ROUNDS = 10;

  private final long seed;
  private long counter;

  private Philox(long seed, long counter) {
    this.seed = seed;
    this.counter = counter;
  }

  /**
   * The stream of a seed, from its start.
   *
   * @param seed any number
   * @return the generator
   */
  public static Philox of(long seed) {
    return new Philox(seed, 0);
  }

  /**
   * The stream of a seed from a given position, to go on where another run stopped.
   *
   * @param seed the seed
   * @param counter what {@link #counter()} returned
   * @return the generator
   */
  public static Philox at(long seed, long counter) {
    return new Philox(seed, counter);
  }

  /** The seed and the position. */
  @Override
  public String toString() {
    return "Philox[seed " + seed + ", position " + counter + "]";
  }

  /**
   * Returns the seed.
   *
   * @return the key of the stream
   */
  public long seed() {
    return seed;
  }

  /**
   * Returns the position.
   *
   * @return the number of the next block of four words
   */
  public long counter() {
    return counter;
  }

  /** Blocks of a stream that one fill uses. A {@link Replay} moves them on from run to run. */
  public static final class Draw {
    private final long seed;
    private long counter;

    /**
     * Blocks of a stream.
     *
     * @param seed the key of the generator
     * @param counter the first block
     */
    public Draw(long seed, long counter) {
      this.seed = seed;
      this.counter = counter;
    }

    /**
     * Returns the seed.
     *
     * @return the key of the generator
     */
    public long seed() {
      return seed;
    }

    /**
     * Returns the position; another one in each run of a replay.
     *
     * @return the number of the first block
     */
    public long counter() {
      return counter;
    }
  }

  /** Reserves blocks for a fill. */
  private Draw reserve(long blocks) {
    return Draws.isActive() ? Draws.next(this, blocks) : take(blocks);
  }

  Draw take(long blocks) {
    var draw = new Draw(seed, counter);
    counter += blocks;
    Recording recording = Recording.current();
    if (recording != null) {
      recording.beforeEach(() -> {
        draw.counter = counter;
        counter += blocks;
      });
    }
    return draw;
  }

  /** One block, for a number that the host needs. */
  private long block(String op) {
    Recording.refuse(op, "draws a number for the host");
    return reserve(1).counter;
  }

  /**
   * An independent stream.
   *
   * @param stream its number
   * @return a generator whose seed is derived from this one's and the number
   */
  public Philox split(long stream) {
    // Counters of fills stay far below 2^63: a block up there is fresh.
    long block = Long.MIN_VALUE ^ stream;
    return new Philox((long) word(seed, block, 0) << 32 | (word(seed, block, 1) & 0xFFFFFFFFL), 0);
  }

  /**
   * Draws a whole number.
   *
   * @param bound the exclusive upper bound, ≥ 1
   * @return uniform in {@code [0, bound)}
   */
  public int nextInt(int bound) {
    if (bound < 1) {
      throw new TensorException("nextInt: bound must be at least 1, got " + bound);
    }
    // Lemire's multiply-and-reject: exactly uniform.
    long threshold = (0x1_0000_0000L - bound) % bound;
    while (true) {
      long product = (word(seed, block("nextInt"), 0) & 0xFFFFFFFFL) * bound;
      if ((product & 0xFFFFFFFFL) >= threshold) {
        return (int) (product >>> 32);
      }
    }
  }

  /**
   * Draws a number.
   *
   * @return uniform in [0, 1), with 53 bits
   */
  public double nextDouble() {
    return unit(seed, block("nextDouble"), 0);
  }

  /**
   * Draws standard values.
   *
   * @param distribution what is drawn
   * @param dtype F32 or F64
   * @param shape the shape
   * @return a tensor on the device of the innermost scope
   */
  public Tensor draw(Distribution distribution, DType dtype, Shape shape) {
    if (!dtype.isFloating()) {
      throw new TensorException(
          "draw: random numbers are F32 or F64, got " + dtype + "; cast what was drawn");
    }
    Tensor y = Tensor.empty("random", Scope.current().device(), dtype, shape);
    Draw draw = reserve(distribution.blocks(shape.size()));
    y.device().backend().random(distribution, draw, y);
    return y;
  }

  /**
   * Uniform on {@code [low, high)}.
   *
   * @param dtype F32 or F64
   * @param low the lower bound
   * @param high the upper bound
   * @param dims the shape
   * @return the tensor
   */
  public Tensor uniform(DType dtype, double low, double high, int... dims) {
    if (!(low < high)) {
      throw new TensorException("uniform: low must be below high, got " + low + " and " + high);
    }
    Tensor y = draw(Distribution.UNIFORM, dtype, Shape.of(dims)).mul(high - low).add(low);
    // The sum may round up to the bound, e.g. of F32 numbers in [1, 2).
    double below = dtype == DType.F32 ? Math.nextDown((float) high) : Math.nextDown(high);
    return y.minimum(below);
  }

  /**
   * Normal.
   *
   * @param dtype F32 or F64
   * @param mean the mean
   * @param deviation the standard deviation
   * @param dims the shape
   * @return the tensor
   */
  public Tensor normal(DType dtype, double mean, double deviation, int... dims) {
    return draw(Distribution.NORMAL, dtype, Shape.of(dims)).mul(deviation).add(mean);
  }

  /**
   * True with a given probability.
   *
   * @param probability the probability of true, in [0, 1]
   * @param dims the shape
   * @return BOOL
   */
  public Tensor bernoulli(double probability, int... dims) {
    if (!(probability >= 0 && probability <= 1)) {
      throw new TensorException("bernoulli: probability must be in [0, 1], got " + probability);
    }
    Tensor y = Tensor.empty("bernoulli", Scope.current().device(), DType.BOOL, Shape.of(dims));
    Draw draw = reserve(Distribution.UNIFORM.blocks(y.size()));
    y.device().backend().bernoulli(probability, draw, y);
    return y;
  }

  /**
   * Draws classes by their unnormalised log probabilities, with Gumbel's trick: the argmax of {@code
   * logits − ln(−ln u)} (Gumbel 1954).
   *
   * @param logits {@code [.., V]}, in nats; −∞ is never drawn
   * @return I32 {@code [..]}, each in {@code [0, V)}
   */
  public Tensor categorical(Tensor logits) {
    Tensor u = draw(Distribution.UNIFORM, DType.F64, logits.shape()).to(logits.device());
    // u = 0 gives −ln(−ln u) = −∞ and would hide the class: half a step up.
    Tensor gumbel = u.add(0x1p-25).log().neg().log().neg();
    return logits.cast(DType.F64).add(gumbel).argmax(Tensor.LAST);
  }

  /**
   * A number in [0, 1) with 53 bits, from two words of a block.
   *
   * @param seed the key
   * @param block the counter
   * @param half 0 for the first two words, 1 for the last
   * @return the number
   */
  public static double unit(long seed, long block, int half) {
    long bits = block(seed, block, 0, half);
    return (bits >>> 11) * 0x1p-53;
  }

  /**
   * One word of a block.
   *
   * @param seed the key
   * @param block the counter
   * @param index 0 to 3
   * @return 32 random bits
   */
  public static int word(long seed, long block, int index) {
    long bits = block(seed, block, 0, index >> 1);
    return (int) ((index & 1) == 0 ? bits : bits >>> 32);
  }

  /**
   * Words 2·half (low) and 2·half + 1 (high) of a block. Streams use the low half of the 128-bit
   * counter only; the published known answers use all of it.
   */
  static long block(long seed, long low, long high, int half) {
    int c0 = (int) low;
    int c1 = (int) (low >>> 32);
    int c2 = (int) high;
    int c3 = (int) (high >>> 32);
    int k0 = (int) seed;
    int k1 = (int) (seed >>> 32);
    for (int round = 0; round < ROUNDS; round++) {
      long p0 = (M0 & 0xFFFFFFFFL) * (c0 & 0xFFFFFFFFL);
      long p1 = (M1 & 0xFFFFFFFFL) * (c2 & 0xFFFFFFFFL);
      c0 = (int) (p1 >>> 32) ^ c1 ^ k0;
      c1 = (int) p1;
      c2 = (int) (p0 >>> 32) ^ c3 ^ k1;
      c3 = (int) p0;
      k0 += W0;
      k1 += W1;
    }
    return half == 0 ? (c0 & 0xFFFFFFFFL) | (long) c1 << 32 : (c2 & 0xFFFFFFFFL) | (long) c3 << 32;
  }
}
