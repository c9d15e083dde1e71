/* ---- Comparing embeddings. ---- */

static float square_root(float x)
{
    float root = x > 1.0f ? x : 1.0f;
    for (int step = 0; step < 40; ++step)
        root = 0.5f * (root + x / root);
    return root;
}

float model_cosine(const int8_t a[EMBEDDING_SIZE], const int8_t b[EMBEDDING_SIZE])
{
    int32_t product = 0, a_square = 0, b_square = 0;
    for (int32_t i = 0; i < EMBEDDING_SIZE; ++i) {
        const int32_t x = a[i] - EMBEDDING_ZERO_POINT, y = b[i] - EMBEDDING_ZERO_POINT;
        product += x * y;
        a_square += x * x;
        b_square += y * y;
    }
    if (a_square == 0 || b_square == 0)
        return 0.0f;
    return (float)product / (square_root((float)a_square) * square_root((float)b_square));
}
