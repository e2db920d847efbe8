package carousel.nn.io;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;

/** Counts what is written, whatever the channel behind it can tell. */
final class CountingChannel implements WritableByteChannel {
  private final WritableByteChannel channel;
  private long count;

  CountingChannel(WritableByteChannel channel) {
    this.channel = channel;
  }

  /** The bytes written so far. */
  long count() {
    return count;
  }

  @Override
  public int write(ByteBuffer bytes) throws IOException {
    int written = channel.write(bytes);
    count += written;
    return written;
  }

  @Override
  public boolean isOpen() {
    return channel.isOpen();
  }

  @Override
  public void close() {
    // The file is closed by whoever opened it.
  }
}
