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

  // Upper halves of counters, which tell apart what blocks are for; fills use 0.
  private static final long TIES = 1;
  private static final long STREAMS = 2;

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

  /** {@return the seed, the key of the stream} */
  public long seed() {
    return seed;
  }

  /** {@return the position: the number of the next block of four words} */
  public long counter() {
    return counter;
  }

  /**
   * Goes to another position of its stream, in place: back to what a checkpoint holds, so that whoever draws from this
   * generator goes on there.
   *
   * @param position what {@link #counter()} returned
   */
  public void moveTo(long position) {
    Recording.refuse("moveTo", "moves a generator, which each run would have to do again");
    this.counter = position;
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

    /** {@return the seed, the key of the generator} */
    public long seed() {
      return seed;
    }

    /**
     * {@return the number of the first block, another one in each run of a replay}
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
    var recording = Recording.current();
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
   * @param stream its number, any
   * @return a generator whose seed is derived from this one's and the number
   */
  public Philox split(long stream) {
    // Counters of fills stay far below 2^63: a block up there is fresh. From a negative number the
    // same would
    // lead down to theirs.
    long words =
        stream >= 0 ? block(seed, Long.MIN_VALUE ^ stream, 0, 0) : block(seed, stream, STREAMS, 0);
    return new Philox(words << 32 | words >>> 32, 0);
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
    requireFloating("draw", dtype);
    return drawn("random", TensorScope.current().device(), distribution, dtype, shape);
  }

  private static void requireFloating(String op, DType dtype) {
    if (!dtype.isFloating()) {
      throw new TensorException(
          op
              + ": random numbers are F32 or F64, got "
              + dtype
              + "; draw whole numbers by integers, truth values by bernoulli");
    }
  }

  Tensor drawn(String op, Device device, Distribution distribution, DType dtype, Shape shape) {
    Tensor y = Engine.empty(op, device, dtype, shape);
    Draw draw = reserve(distribution.blocks(dtype, shape.size()));
    device.backend().random(distribution, draw, y);
    return y;
  }

  /**
   * Uniform on {@code [low, high)}: {@code low + u (high − low)}, rounded to a number of the type within the
   * interval, where u is a multiple of 2⁻²⁴ for F32 and of 2⁻⁵³ for F64.
   *
   * @param dtype F32 or F64
   * @param low the lower bound, finite in the type
   * @param high the upper bound, finite in the type
   * @param dims the shape
   * @return the tensor
   * @throws TensorException if low is not below high, or no number of the type lies between them
   */
  public Tensor uniform(DType dtype, double low, double high, int... dims) {
    requireFloating("uniform", dtype);
    if (!(low < high)) {
      throw new TensorException("uniform: low must be below high, got " + low + " and " + high);
    }
    double least = dtype.rounded(low);
    double most = dtype.rounded(high);
    if (Double.isInfinite(least) || Double.isInfinite(most)) {
      throw new TensorException(
          "uniform: bounds must be finite numbers of " + dtype + ", got " + low + " and " + high);
    }
    least = least < low ? next(dtype, least, Double.POSITIVE_INFINITY) : least;
    most = most >= high ? next(dtype, most, Double.NEGATIVE_INFINITY) : most;
    if (least > most) {
      throw new TensorException(
          "uniform: there is no number of " + dtype + " in [" + low + ", " + high + ")");
    }
    Tensor u = draw(Distribution.UNIFORM, dtype, Shape.of(dims));
    // The width of all numbers there are is none itself: half of everything, then.
    double scale = Double.isInfinite(dtype.rounded(high - least)) ? 2 : 1;
    Tensor y = u.mul(high / scale - least / scale).add(least / scale);
    // The sum may round up to the bound, e.g. of F32 numbers in [1, 2).
    return (scale == 1 ? y : y.mul(scale)).minimum(most);
  }

  /** The neighbour of a number of a type. */
  private static double next(DType dtype, double x, double towards) {
    return dtype == DType.F32 ? Math.nextAfter((float) x, towards) : Math.nextAfter(x, towards);
  }

  /**
   * Normal; see {@link Distribution#NORMAL}.
   *
   * @param dtype F32 or F64
   * @param mean the mean, finite
   * @param deviation the standard deviation, finite, ≥ 0
   * @param dims the shape
   * @return the tensor
   */
  public Tensor normal(DType dtype, double mean, double deviation, int... dims) {
    requireFloating("normal", dtype);
    double widest = dtype.rounded(deviation);
    if (!Double.isFinite(dtype.rounded(mean)) || !(deviation >= 0 && Double.isFinite(widest))) {
      throw new TensorException(
          "normal: wants a mean and a deviation of 0 or more, both finite in "
              + dtype
              + ", got "
              + mean
              + " and "
              + deviation);
    }
    return draw(Distribution.NORMAL, dtype, Shape.of(dims)).mul(deviation).add(mean);
  }

  /**
   * True with a given probability, to within 2⁻⁶⁴.
   *
   * @param probability the probability of true, in [0, 1]
   * @param dims the shape
   * @return BOOL
   */
  public Tensor bernoulli(double probability, int... dims) {
    if (!(probability >= 0 && probability <= 1)) {
      throw new TensorException("bernoulli: probability must be in [0, 1], got " + probability);
    }
    Tensor y =
        Engine.empty("bernoulli", TensorScope.current().device(), DType.BOOL, Shape.of(dims));
    Draw draw = reserve(Distribution.UNIFORM.blocks(DType.F32, y.size()));
    y.device().backend().bernoulli(probability, draw, y);
    return y;
  }

  /**
   * Whole numbers, each equally likely to within 2⁻⁵³.
   *
   * @param low the lower bound
   * @param high the upper bound, exclusive
   * @param dims the shape
   * @return I32, each in {@code [low, high)}
   */
  public Tensor integers(int low, int high, int... dims) {
    if (low >= high) {
      throw new TensorException("integers: low must be below high, got " + low + " and " + high);
    }
    Tensor u = draw(Distribution.UNIFORM, DType.F64, Shape.of(dims));
    return u.mul((double) high - low).floor().add(low).cast(DType.I32);
  }

  /**
   * The numbers 0 to n − 1 in random order, by sorting random keys of 53 bits: two keys are equal, and leave
   * their numbers in order, with a probability below n² · 2⁻⁵⁴.
   *
   * @param n how many, ≥ 0
   * @return I32 {@code [n]}
   */
  public Tensor permutation(int n) {
    if (n < 0) {
      throw new TensorException("permutation: n must be 0 or more, got " + n);
    }
    return draw(Distribution.UNIFORM, DType.F64, Shape.of(n)).sort(0, false).indices();
  }

  /**
   * Draws classes by their unnormalised log probabilities, with Gumbel's trick: the argmax of {@code
   * logits − ln(−ln(1 − u))} (Gumbel 1954), in double precision, with u of 53 bits; so the probability
   * of a class is right to about 2⁻⁵³.
   *
   * @param logits {@code [.., V]}, in nats; −∞ is never drawn
   * @return I32 {@code [..]}, each in {@code [0, V)}
   * @throws TensorException if a row has NaN or +∞, or nothing but −∞. A device that works {@linkplain
   *     carousel.tensor.spi.Backend#isAsynchronous later} gives −1 for such a row, which no op takes for an index
   */
  public Tensor categorical(Tensor logits) {
    return Categorical.one("categorical", this, logits);
  }

  /**
   * Draws classes with replacement, each as {@link #categorical(Tensor)} does.
   *
   * @param logits {@code [.., V]}
   * @param count n, how many for each row; n · V numbers of a row are held at once
   * @return I32 {@code [.., n]}
   */
  public Tensor categorical(Tensor logits, int count) {
    return Categorical.many(this, logits, count);
  }

  /**
   * Draws classes without replacement, each in proportion to what is left (Gumbel's trick for the greatest n:
   * Vieira 2014; Kool, van Hoof and Welling 2019).
   *
   * @param logits {@code [.., V]}, in nats; −∞ is never drawn
   * @param count n, how many for each row, at most the number of its classes that are possible
   * @return I32 {@code [.., n]}, in the order in which they are drawn
   * @throws TensorException as of {@link #categorical(Tensor)}, and if there are not enough
   */
  public Tensor distinct(Tensor logits, int count) {
    return Categorical.distinct(this, logits, count);
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
   * What decides where 32 bits are just those of a probability: a word that no fill uses.
   *
   * @param seed the key
   * @param block the counter of the word that is not enough
   * @param index 0 to 3
   * @return 32 more random bits
   */
  public static int tie(long seed, long block, int index) {
    long bits = block(seed, block, TIES, index >> 1);
    return (int) ((index & 1) == 0 ? bits : bits >>> 32);
  }

  /**
   * Words 2·half (low) and 2·half + 1 (high) of a block. Fills use the low half of the 128-bit
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
