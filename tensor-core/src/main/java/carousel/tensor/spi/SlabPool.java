package carousel.tensor.spi;

import carousel.tensor.TensorException;
import java.util.Arrays;
import java.util.Locale;
import java.util.function.LongSupplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The memory of a device: size-classed free lists over what its system gives out.
 *
 * <p>Asking the system for each tensor costs microseconds, on a GPU a wait for all its work; a free
 * list costs some nanoseconds. Sizes are rounded up to a quarter of a power of two. Blocks below {@link #LARGE} are cut from
 * slabs and stay with the pool; larger ones are cached too, and go back to the system when more of them
 * lie idle than were ever in use at once, so that resident memory follows the working set also where
 * every step has other sizes.
 */
public final class SlabPool implements Memory {
  private static final long LARGE = 64L << 10;
  private static final long SLAB = 4L << 20;
  private static final int CLASSES = 4 * 64;
  private static final Pattern SIZE = Pattern.compile("([1-9][0-9]{0,17})([kmgt]?)b?");

  /** Where the pool gets its slabs and large blocks. */
  public interface Source {
    /**
     * Asks the system for memory.
     *
     * @param bytes the size
     * @return an address aligned to at least 64 bytes, or 0 if the system has no more
     */
    long take(long bytes);

    /**
     * Gives memory back to the system.
     *
     * @param address what {@link #take} returned
     * @param bytes the size that was asked for
     */
    void giveBack(long address, long bytes);
  }

  private final Source source;
  private final long[][] free = new long[CLASSES][];
  private final int[] freeCount = new int[CLASSES];
  private long slab;
  private long slabEnd;
  private long inUse;
  private long peak;

  /** The peak before it was started anew. */
  private long formerPeak;

  private long reserved;

  /** Of large blocks. */
  private long cached;

  private long limit;

  /**
   * An empty pool.
   *
   * @param source the system's memory
   * @param limit the most bytes that may be in use
   */
  public SlabPool(Source source, long limit) {
    this.source = source;
    this.limit = limit;
  }

  /**
   * An empty pool with the cap that a setting asks for.
   *
   * @param source the system's memory
   * @param cap the setting, e.g. {@code 8g} or {@code 512m}
   * @param standard the cap where it is not set; {@link Long#MAX_VALUE} for none
   * @return the pool
   * @throws TensorException if the setting is no size
   */
  public static SlabPool configured(Source source, Setting cap, LongSupplier standard) {
    String size = cap.value();
    return new SlabPool(source, size == null ? standard.getAsLong() : size(size));
  }

  /** The size in words such as 8g, 512m, 64k or 4096; 0 for what is none, or more than a long holds. */
  static long size(String size) {
    Matcher parts = SIZE.matcher(size.strip().toLowerCase(Locale.ROOT));
    if (!parts.matches()) {
      return 0;
    }
    int shift = 10 * " kmgt".indexOf(parts.group(2).isEmpty() ? " " : parts.group(2));
    long count = Long.parseLong(parts.group(1));
    return count > Long.MAX_VALUE >> shift ? 0 : count << shift;
  }

  /** The class of a size: four per power of two, and never less than 64 bytes apart. */
  static int sizeClass(long bytes) {
    if (bytes <= 256) {
      return (int) ((bytes + 63) / 64) - 1;
    }
    int exponent = 63 - Long.numberOfLeadingZeros(bytes - 1);
    int quarter = (int) ((bytes - 1) >>> (exponent - 2)) & 3;
    return 4 + (exponent - 8) * 4 + quarter;
  }

  /** The size of the blocks of a class. */
  static long blockSize(int sizeClass) {
    if (sizeClass < 4) {
      return 64L * (sizeClass + 1);
    }
    int exponent = (sizeClass - 4) / 4 + 8;
    int quarter = (sizeClass - 4) % 4;
    return (1L << exponent) + ((quarter + 1L) << (exponent - 2));
  }

  @Override
  public synchronized long allocate(long bytes) {
    if (bytes > limit) {
      return 0;
    }
    int c = sizeClass(bytes);
    long size = blockSize(c);
    if (inUse + size > limit) {
      return 0;
    }
    long address;
    long[] list = free[c];
    if (list != null && freeCount[c] > 0) {
      address = list[--freeCount[c]];
      cached -= size >= LARGE ? size : 0;
    } else {
      address = size < LARGE ? cut(size) : system(size);
      if (address == 0) {
        return 0;
      }
    }
    inUse += size;
    peak = Math.max(peak, inUse);
    return address;
  }

  private long cut(long size) {
    if (slabEnd - slab < size) {
      // The rest of the old slab is lost to the pool: at most a 64th of it.
      long fresh = system(SLAB);
      if (fresh == 0) {
        return 0;
      }
      slab = fresh;
      slabEnd = fresh + SLAB;
    }
    long address = slab;
    slab += size;
    return address;
  }

  private long system(long size) {
    long address = source.take(size);
    if (address == 0 && cached > 0) {
      trim(0);
      address = source.take(size);
    }
    if (address != 0) {
      reserved += size;
    }
    return address;
  }

  @Override
  public synchronized void free(long address, long bytes) {
    int c = sizeClass(bytes);
    long size = blockSize(c);
    inUse -= size;
    long[] list = free[c];
    if (list == null) {
      list = new long[8];
    } else if (freeCount[c] == list.length) {
      list = Arrays.copyOf(list, 2 * list.length);
    }
    free[c] = list;
    list[freeCount[c]++] = address;
    cached += size >= LARGE ? size : 0;
    // A training step frees all it used at once and takes it again: keep that much.
    long most = Math.max(peak, formerPeak);
    if (cached > most) {
      trim(most / 2);
    }
  }

  /** Gives large blocks back to the system, largest first, until at most {@code keep} is cached. */
  private void trim(long keep) {
    for (int c = CLASSES - 1; c >= sizeClass(LARGE) && cached > keep; c--) {
      while (freeCount[c] > 0 && cached > keep) {
        source.giveBack(free[c][--freeCount[c]], blockSize(c));
        cached -= blockSize(c);
        reserved -= blockSize(c);
      }
    }
  }

  @Override
  public synchronized long inUse() {
    return inUse;
  }

  @Override
  public synchronized long peak() {
    return peak;
  }

  @Override
  public synchronized void resetPeak() {
    formerPeak = Math.max(peak, formerPeak);
    peak = inUse;
  }

  @Override
  public synchronized long reserved() {
    return reserved;
  }

  @Override
  public synchronized long limit() {
    return limit;
  }

  @Override
  public synchronized void limit(long bytes) {
    limit = bytes;
  }
}
