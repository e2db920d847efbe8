package carousel.cuda.replay;

import carousel.cuda.driver.Arguments;
import carousel.cuda.driver.BatchedGemm;
import carousel.cuda.driver.CudaDriver;
import carousel.cuda.driver.Grid;
import carousel.cuda.driver.KernelSource;
import carousel.cuda.driver.Precision;
import carousel.tensor.Recording;
import java.lang.foreign.MemorySegment;

/** A device, or the notes of what is asked of it. */
final class RecordingDriver implements CudaDriver {
  private final CudaDriver device;
  private final CudaRecorder recorder;

  RecordingDriver(CudaDriver device, CudaRecorder recorder) {
    this.device = device;
    this.recorder = recorder;
  }

  private void call(Runnable call) {
    CudaRecording recording = recorder.current();
    if (recording == null) {
      call.run();
    } else {
      recording.note(call);
    }
  }

  @Override
  public void launch(long function, Grid grid, Arguments arguments) {
    CudaRecording recording = recorder.current();
    if (recording == null) {
      device.launch(function, grid, arguments);
    } else {
      Arguments kept = arguments.copy();
      recording.note(() -> device.launch(function, grid, kept));
    }
  }

  @Override
  public void gemm(BatchedGemm product) {
    call(() -> device.gemm(product));
  }

  @Override
  public void copy(long from, long to, long bytes) {
    call(() -> device.copy(from, to, bytes));
  }

  @Override
  public void set(long address, byte value, long bytes) {
    call(() -> device.set(address, value, bytes));
  }

  @Override
  public void upload(MemorySegment host, long address) {
    Recording.refuse("write", "takes values from the host");
    device.upload(host, address);
  }

  @Override
  public void download(long address, MemorySegment host) {
    Recording.refuse("read", "reads values of the device");
    device.download(address, host);
  }

  @Override
  public void synchronize() {
    Recording.refuse("synchronize", "waits for the device");
    device.synchronize();
  }

  @Override
  public long allocate(long bytes) {
    return device.allocate(bytes);
  }

  @Override
  public void free(long address) {
    device.free(address);
  }

  @Override
  public long load(KernelSource source) {
    return device.load(source);
  }

  @Override
  public long function(long module, String symbol) {
    return device.function(module, symbol);
  }

  @Override
  public LaunchGraph graph(Runnable calls) {
    return device.graph(calls);
  }

  @Override
  public String description() {
    return device.description();
  }

  @Override
  public int attribute(Attribute attribute) {
    return device.attribute(attribute);
  }

  @Override
  public Precision precision() {
    return device.precision();
  }
}
