"""What rknn-toolkit2's compiler says of a network's layers."""

SAID = """D RKNN: [14:58:29.120] ID   OpType    DataType Target InputShape  OutputShape  Cycles(DDR/NPU/Total)  RW(KB)  FullName
D RKNN: [14:58:29.120] 0    InputOperator    INT8     CPU    \\                       (1,3,28,28)   0/0/0        0    InputOperator:faces
D RKNN: [14:58:29.120] 1    ConvPRelu        INT8     NPU    (1,3,28,28),(8,3,3,3),(8),...  (1,8,14,14)  10/30/30  37   Conv:stem
D RKNN: [14:58:29.120] 2    Concat           FLOAT16  NPU    (1,8,14,14),(1,8,14,14),(8,32,1,1)  (1,16,14,14)  0/0/0  98  Concat:ghost
D RKNN: [14:58:29.120] 3    Conv             INT8     NPU    (1,16,14,14),(1,16,3,3),(16)  (1,16,14,14)  50/40/50  49  Conv:cheap
D RKNN: [14:58:29.120] 4    Reshape          INT8     CPU    (1,16,1,1),(2)  (1,16)  0/0/0  0  Reshape:flat
D RKNN: [14:58:29.120] 5    OutputOperator   INT8     CPU    (1,16)  \\  0/0/0  0  OutputOperator:embeddings
D RKNN: [14:58:29.681] Total Internal Memory Size: 330.75KB
D RKNN: [14:58:29.681] Total Weight Memory Size: 923.125KB
"""
