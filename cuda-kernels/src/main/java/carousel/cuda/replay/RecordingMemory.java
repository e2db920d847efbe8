package carousel.cuda.replay;

import carousel.tensor.spi.Memory;

/** The memory of a device; a thread that records takes from its recording. */
final class RecordingMemory implements Memory {
  private final Memory shared;
  private final CudaRecorder recorder;

  RecordingMemory(Memory shared, CudaRecorder recorder) {
    this.shared = shared;
    this.recorder = recorder;
  }

  @Override
  public long allocate(long bytes) {
    CudaRecording recording = recorder.current();
    return recording == null ? shared.allocate(bytes) : recording.allocate(bytes);
  }

  @Override
  public void free(long address, long bytes) {
    recorder.free(address, bytes);
  }

  @Override
  public long inUse() {
    return shared.inUse();
  }

  @Override
  public long peak() {
    return shared.peak();
  }

  @Override
  public void resetPeak() {
    shared.resetPeak();
  }

  @Override
  public long reserved() {
    return shared.reserved();
  }

  @Override
  public long limit() {
    return shared.limit();
  }

  @Override
  public void limit(long bytes) {
    shared.limit(bytes);
  }
}
