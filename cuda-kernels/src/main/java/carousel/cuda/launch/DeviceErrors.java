package carousel.cuda.launch;

import carousel.cuda.driver.CudaDriver;
import carousel.cuda.replay.CudaRecorder;
import carousel.cuda.replay.CudaRecording;
import carousel.tensor.DType;
import carousel.tensor.TensorException;
import carousel.tensor.op.WholeNumbers;
import java.lang.foreign.MemorySegment;

/**
 * What kernels find wrong while they run, such as an index that is out of range: the first of them is
 * written to a few words on the device by {@code report} of common.cuh, and thrown once, at the next read
 * of any value of the device, though the scope of the op be closed by then. Nothing outside of the
 * operands is read or written; what the op gave is of no use. With {@link CudaDriver#BLOCKING} it is
 * thrown by the op.
 */
public final class DeviceErrors {
  /** What can go wrong, in the numbers that kernels report. */
  public enum Checked {
    NONE("none"),
    GATHER("gather"),
    SCATTER_ADD("scatterAdd"),
    INDEX_SELECT("indexSelect"),
    INDEX_ADD("indexAdd"),
    FORMULA("formula"),
    SUM("sum", true),
    PROD("prod", true),
    CUMSUM("cumsum", true),
    LINEAR_SCAN("linearScan", true);

    private final String label;
    private final boolean overflow;

    Checked(String label) {
      this(label, false);
    }

    Checked(String label, boolean overflow) {
      this.label = label;
      this.overflow = overflow;
    }

    /** The overflow of a fold of whole numbers; none of other types and folds. */
    public static Checked overflow(String label, DType type) {
      for (Checked op : values()) {
        if (op.overflow && type == DType.I32 && op.label.equals(label)) {
          return op;
        }
      }
      return NONE;
    }

    private String text(int index, int size) {
      return overflow || size == DOES_NOT_FIT
          ? String.valueOf(WholeNumbers.overflow(label).getMessage())
          : label + ": index " + index + " is out of range [0," + size + ")";
    }
  }

  private static final int WORDS = 4;

  /** In the place of the size of an index, where a sum of whole numbers is none of I32; as in common.cuh. */
  private static final int DOES_NOT_FIT = -1;

  private final CudaRecorder recorder;
  private final CudaDriver driver;
  private final boolean blocking;
  private final long words;
  private volatile boolean possible;

  /**
   * None yet.
   *
   * @param blocking whether to wait for each kernel that may find something
   */
  public DeviceErrors(CudaRecorder recorder, boolean blocking) {
    this.recorder = recorder;
    this.driver = recorder.driver();
    this.blocking = blocking;
    this.words = driver.allocate(4L * WORDS);
    driver.set(words, (byte) 0, 4L * WORDS);
  }

  /** Whether each launch that may find something waits. */
  public boolean isBlocking() {
    return blocking;
  }

  /** The address of the words, for the launch of a kernel that may find something. */
  long address() {
    possible = true;
    CudaRecording recording = recorder.current();
    if (recording != null) {
      recording.beforeEach(() -> possible = true);
    }
    return words;
  }

  /** A kernel was started that may find something. */
  void launched() {
    if (blocking && recorder.current() == null) {
      check();
    }
  }

  /**
   * Waits for the device, if a kernel was started that may find something.
   *
   * @throws TensorException if one did since the last check
   */
  public void check() {
    if (!possible) {
      return;
    }
    possible = false;
    int[] found = new int[WORDS];
    driver.download(words, MemorySegment.ofArray(found));
    if (found[0] != 0) {
      driver.set(words, (byte) 0, 4L * WORDS);
      throw new TensorException(
          Checked.values()[found[0]].text(found[1], found[2])
              + (blocking
                  ? ""
                  : "; an op before this read found it on the device: with -D"
                      + CudaDriver.BLOCKING
                      + "=true that op throws it"));
    }
  }
}
