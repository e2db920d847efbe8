package carousel.zoo.language;

import java.io.IOException;
import java.io.StringReader;
import java.io.UncheckedIOException;
import java.lang.Character.UnicodeScript;
import org.apache.lucene.analysis.ja.JapaneseTokenizer;
import org.apache.lucene.analysis.tokenattributes.CharTermAttribute;

/** The words of Japanese, by Kuromoji. */
final class Japanese {
  /** Of one thread; its dictionary, which is shared, is read when it is first used. */
  private static final ThreadLocal<JapaneseTokenizer> ANALYSER =
      ThreadLocal.withInitial(
          () -> new JapaneseTokenizer(null, false, JapaneseTokenizer.Mode.NORMAL));

  private Japanese() {}

  /** Puts a space between two words where there is none; words and spaces stay as they are. */
  static String cut(String line) {
    if (line.codePoints().noneMatch(Japanese::isWrittenWithoutSpaces)) {
      return line;
    }
    var analyser = ANALYSER.get();
    var word = analyser.getAttribute(CharTermAttribute.class);
    var words = new StringBuilder(2 * line.length());
    try {
      analyser.setReader(new StringReader(line));
      analyser.reset();
      while (analyser.incrementToken()) {
        words.append(word).append(' ');
      }
      analyser.end();
      analyser.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e); // of a string there is none
    }
    return words.toString();
  }

  /** Whether words of this character stand side by side without spaces: kanji, kana, and their punctuation. */
  static boolean isWrittenWithoutSpaces(int c) {
    return switch (UnicodeScript.of(c)) {
      case HAN, HIRAGANA, KATAKANA -> true;
      default -> isPunctuation(c);
    };
  }

  /** CJK punctuation, and the wide forms of ours. */
  private static boolean isPunctuation(int c) {
    return (c >= 0x3000 && c <= 0x303F) || (c >= 0xFF00 && c <= 0xFF65);
  }
}
