package carousel.cuda.driver;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static jcuda.driver.CUevent_flags.CU_EVENT_DISABLE_TIMING;
import static jcuda.driver.JCudaDriver.cuEventCreate;
import static jcuda.driver.JCudaDriver.cuEventRecord;
import static jcuda.driver.JCudaDriver.cuEventSynchronize;
import static jcuda.driver.JCudaDriver.cuMemAllocHost;
import static jcuda.driver.JCudaDriver.cuMemcpyDtoHAsync;
import static jcuda.driver.JCudaDriver.cuMemcpyHtoDAsync;

import java.lang.foreign.MemorySegment;
import jcuda.Pointer;
import jcuda.driver.CUevent;
import jcuda.driver.CUstream;
import org.jspecify.annotations.Nullable;

/**
 * Pinned memory that copies between host and device pass through: from there the device copies by itself,
 * at full speed, while the host fills the next buffer. Two buffers take turns; each has an event that says
 * when the device is done with it. An upload that fits does not wait for the device.
 */
final class Staging {
  private static final int BYTES = 4 << 20;

  private final JCudaDriver driver;
  private final CUstream stream;
  private final @Nullable Buffer[] buffers = new @Nullable Buffer[2];
  private int turn;

  /** A pinned buffer; made when it is first needed. */
  private final class Buffer {
    final Pointer pointer = new Pointer();
    final CUevent done = new CUevent();
    final MemorySegment memory;

    Buffer() {
      driver.check("cuMemAllocHost", cuMemAllocHost(pointer, BYTES));
      driver.check("cuEventCreate", cuEventCreate(done, CU_EVENT_DISABLE_TIMING));
      memory = MemorySegment.ofBuffer(pointer.getByteBuffer(0, BYTES));
    }

    void await() {
      driver.check("cuEventSynchronize", cuEventSynchronize(done));
    }

    void record() {
      driver.check("cuEventRecord", cuEventRecord(done, stream));
    }
  }

  Staging(JCudaDriver driver, CUstream stream) {
    this.driver = driver;
    this.stream = stream;
  }

  /** The buffer whose turn it is, once the device is done with it. An event never recorded is done. */
  private Buffer next() {
    turn = 1 - turn;
    Buffer buffer = buffers[turn];
    if (buffer == null) {
      buffer = new Buffer();
      buffers[turn] = buffer;
    }
    buffer.await();
    return buffer;
  }

  synchronized void upload(MemorySegment host, long address) {
    for (long at = 0; at < host.byteSize(); at += BYTES) {
      long bytes = Math.min(BYTES, host.byteSize() - at);
      Buffer buffer = next();
      MemorySegment.copy(host, JAVA_BYTE, at, buffer.memory, JAVA_BYTE, 0, bytes);
      driver.check(
          "cuMemcpyHtoDAsync",
          cuMemcpyHtoDAsync(new DeviceAddress(address + at), buffer.pointer, bytes, stream));
      buffer.record();
    }
  }

  /** While the host takes one piece, the device copies the next. */
  synchronized void download(long address, MemorySegment host) {
    long size = host.byteSize();
    if (size == 0) {
      return;
    }
    Buffer ahead = fetch(address, 0, size);
    for (long at = 0; at < size; at += BYTES) {
      Buffer here = ahead;
      if (at + BYTES < size) {
        ahead = fetch(address, at + BYTES, size);
      }
      here.await();
      long bytes = Math.min(BYTES, size - at);
      MemorySegment.copy(here.memory, JAVA_BYTE, 0, host, JAVA_BYTE, at, bytes);
    }
  }

  private Buffer fetch(long address, long at, long size) {
    Buffer buffer = next();
    driver.check(
        "cuMemcpyDtoHAsync",
        cuMemcpyDtoHAsync(
            buffer.pointer, new DeviceAddress(address + at), Math.min(BYTES, size - at), stream));
    buffer.record();
    return buffer;
  }
}
