package carousel.cuda.driver;

import static jcuda.driver.CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_RELAXED;
import static jcuda.driver.JCudaDriver.cuGraphDestroy;
import static jcuda.driver.JCudaDriver.cuGraphExecDestroy;
import static jcuda.driver.JCudaDriver.cuGraphInstantiate;
import static jcuda.driver.JCudaDriver.cuGraphLaunch;
import static jcuda.driver.JCudaDriver.cuStreamBeginCapture;
import static jcuda.driver.JCudaDriver.cuStreamEndCapture;

import jcuda.driver.CUgraph;
import jcuda.driver.CUgraphExec;

/** A CUDA graph: calls captured from one stream, launched as one piece on another. */
final class CapturedGraph implements CudaDriver.LaunchGraph {
  private final JCudaDriver driver;
  private final Stream target;
  private final CUgraphExec executable = new CUgraphExec();

  /**
   * Captures calls. The mode of capture lets the libraries that are called allocate; what was started
   * before does not.
   *
   * @param driver the device, current to this thread
   * @param source the stream that the calls go to
   * @param target the stream that they are launched on
   * @param calls the calls
   */
  CapturedGraph(JCudaDriver driver, Stream source, Stream target, Runnable calls) {
    this.driver = driver;
    this.target = target;
    var captured = new CUgraph();
    driver.check(
        "cuStreamBeginCapture", cuStreamBeginCapture(source, CU_STREAM_CAPTURE_MODE_RELAXED));
    int ended;
    try {
      calls.run();
    } finally {
      ended = cuStreamEndCapture(source, captured); // or the stream stays unusable
    }
    driver.check("cuStreamEndCapture", ended);
    int result = cuGraphInstantiate(executable, captured, 0);
    cuGraphDestroy(captured);
    driver.check("cuGraphInstantiate", result);
  }

  @Override
  public void launch() {
    driver.run("a replay", () -> cuGraphLaunch(executable, target));
  }

  /** One that is under way is destroyed when it is done. */
  @Override
  public void close() {
    driver.run("the end of a replay", () -> cuGraphExecDestroy(executable));
  }
}
