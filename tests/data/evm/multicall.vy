# pragma version 0.4.3
# What Multicall3's `aggregate3` does.

struct Call:
    target: address
    allowFailure: bool
    callData: Bytes[96]

struct Answer:
    success: bool
    returnData: Bytes[192]


@external
@payable
def aggregate3(calls: DynArray[Call, 500]) -> DynArray[Answer, 500]:
    answers: DynArray[Answer, 500] = []
    for call: Call in calls:
        success: bool = False
        returned: Bytes[192] = b""
        success, returned = raw_call(
            call.target, call.callData, max_outsize=192, revert_on_failure=False
        )
        assert success or call.allowFailure
        answers.append(Answer(success=success, returnData=returned))
    return answers
