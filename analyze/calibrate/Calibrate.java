import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.Signature;
import java.util.concurrent.CountDownLatch;

/**
 * Prints the processor time of one SHA256withRSA signature and of one
 * verification, in milliseconds: on one thread and on as many as asked for.
 * Arguments: bits of the key, milliseconds of a round, rounds, threads,
 * milliseconds of warm-up. It opens no file and no connection.
 */
public class Calibrate {
    private static final ThreadMXBean CLOCK = ManagementFactory.getThreadMXBean();
    private static KeyPair keys;
    private static byte[] text;
    private static byte[] signature;

    public static void main(String[] args) throws Exception {
        int bits = Integer.parseInt(args[0]);
        long round = Long.parseLong(args[1]);
        int rounds = Integer.parseInt(args[2]);
        int threads = Integer.parseInt(args[3]);
        long warmUp = Long.parseLong(args[4]);
        if (!CLOCK.isCurrentThreadCpuTimeSupported()) {
            System.err.println("this JVM does not measure the processor time of a thread");
            System.exit(3);
        }
        KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
        generator.initialize(bits);
        keys = generator.generateKeyPair();
        text = new byte[700]; // header and claims of a token, in base64
        for (int i = 0; i < text.length; i++) {
            text[i] = (byte) ('A' + i % 26);
        }
        signature = sign();
        System.out.println("vm " + System.getProperty("java.version") + " " + System.getProperty("java.vm.name"));
        // Warm up both operations on all threads: the compilers need some thousand calls.
        measure(true, threads, warmUp);
        measure(false, threads, warmUp);
        for (int i = 0; i < rounds; i++) {
            for (int n : new int[] {1, threads}) {
                System.out.println("signature " + n + " " + measure(true, n, round));
                System.out.println("verification " + n + " " + measure(false, n, round));
                if (threads == 1) {
                    break;
                }
            }
        }
    }

    /** A new Signature each time, as the libraries that sign tokens do it. */
    private static byte[] sign() throws Exception {
        Signature s = Signature.getInstance("SHA256withRSA");
        s.initSign(keys.getPrivate());
        s.update(text);
        return s.sign();
    }

    private static void verify() throws Exception {
        Signature s = Signature.getInstance("SHA256withRSA");
        s.initVerify(keys.getPublic());
        s.update(text);
        if (!s.verify(signature)) {
            throw new IllegalStateException("a signature does not verify");
        }
    }

    /** Milliseconds of processor time of one operation, over all threads. */
    private static double measure(boolean signing, int threads, long milliseconds) throws Exception {
        long[] used = new long[threads];
        long[] done = new long[threads];
        Throwable[] failed = new Throwable[threads];
        CountDownLatch ready = new CountDownLatch(threads);
        Thread[] all = new Thread[threads];
        for (int i = 0; i < threads; i++) {
            final int me = i;
            all[i] = new Thread(() -> {
                try {
                    ready.countDown();
                    ready.await();
                    long end = System.nanoTime() + milliseconds * 1_000_000;
                    long start = CLOCK.getCurrentThreadCpuTime();
                    do {
                        if (signing) {
                            sign();
                        } else {
                            verify();
                        }
                        done[me]++;
                    } while (System.nanoTime() < end);
                    used[me] = CLOCK.getCurrentThreadCpuTime() - start;
                } catch (Throwable t) {
                    failed[me] = t;
                }
            });
            all[i].start();
        }
        long time = 0;
        long count = 0;
        for (int i = 0; i < threads; i++) {
            all[i].join();
            if (failed[i] != null) {
                throw new Exception(failed[i]);
            }
            time += used[i];
            count += done[i];
        }
        return time / 1e6 / count;
    }
}
