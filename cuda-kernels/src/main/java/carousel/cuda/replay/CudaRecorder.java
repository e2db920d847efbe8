package carousel.cuda.replay;

import carousel.cuda.driver.CudaDriver;
import carousel.tensor.spi.Memory;
import carousel.tensor.spi.Recorder;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/**
 * Stands between a backend and its device: while a thread records, what it asks of the driver is noted,
 * and what it takes of the memory is the recording's.
 */
public final class CudaRecorder implements Recorder {
  private final ScopedValue<CudaRecording> current = ScopedValue.newInstance();
  private final CudaDriver device;
  private final Memory shared;
  private final CudaDriver driver;
  private final Memory memory;

  /** Whose memory tensors may still use. */
  private final List<CudaRecording> open = new CopyOnWriteArrayList<>();

  /**
   * A recorder of one device.
   *
   * @param device the device
   * @param shared its memory
   */
  public CudaRecorder(CudaDriver device, Memory shared) {
    this.device = device;
    this.shared = shared;
    this.driver = new RecordingDriver(device, this);
    this.memory = new RecordingMemory(shared, this);
  }

  /**
   * The device, or what notes what is asked of it.
   *
   * @return what the backend is to call
   */
  public CudaDriver driver() {
    return driver;
  }

  /**
   * The memory, or that of the recording.
   *
   * @return what the backend is to use
   */
  public Memory memory() {
    return memory;
  }

  /**
   * What this thread records.
   *
   * @return the recording, or null
   */
  public @Nullable CudaRecording current() {
    return current.isBound() ? current.get() : null;
  }

  @Override
  public Recorded record(Runnable code) {
    var recording = new CudaRecording(device, shared, open::remove);
    open.add(recording);
    try {
      ScopedValue.where(current, recording).run(code);
      recording.end();
    } catch (RuntimeException | Error e) {
      recording.close();
      throw e;
    }
    return recording;
  }

  /**
   * Takes a block back. One that a recording gave goes there, whoever frees it and when: a tensor may outlive
   * the recording that failed. One that was taken before stays until the recording is closed, whose calls use it.
   */
  void free(long address, long bytes) {
    for (CudaRecording recording : open) {
      if (recording.free(address, bytes)) {
        return;
      }
    }
    CudaRecording recording = current();
    if (recording == null) {
      shared.free(address, bytes);
    } else {
      recording.keep(address, bytes);
    }
  }
}
