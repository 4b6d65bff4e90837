"""The platforms' signatures, against examples of their own documents."""

from campaigns.group_buying import signatures


class TestMeituan:
    def test_signs_the_example_of_its_document(self) -> None:
        """dap.meituan.com: secret `test`, an empty field left out, Chinese as UTF-8."""
        fields = {
            "appkey": "test",
            "timestamp": "1477395862",
            "version": "1.0",
            "number": "123",
            "string": "测试",
            "double": "123.123",
            "boolean": "true",
            "empty": "",
            "sign": "is not signed itself",
        }

        sign = signatures.meituan("test", fields)

        assert sign == "8943ba698f4b009f80dc2fd69ff9b313381263bd"


class TestDouyin:
    def test_signs_a_call_of_the_service_interface_as_its_document_does(self) -> None:
        """The string of the SPI document: yyyyyy&client_key=xxxxxx&timestamp=…&http_body=zzzzzz."""
        query = {"timestamp": "1624293280123", "client_key": "xxxxxx", "sign": "old"}

        sign = signatures.douyin_life("yyyyyy", query, b"zzzzzz")

        assert sign == "1cb07147475e76d0a8b9f6c7e201c7d8cde1617fb9f5d7e576bec5268fa887ae"

    def test_leaves_the_body_out_of_a_call_that_has_none(self) -> None:
        with_body = signatures.douyin_life("s", {"a": "1"}, b"")
        without = signatures.douyin_life("s", {"a": "1"}, None)

        assert with_body != without

    def test_signs_a_notice_by_its_raw_bytes(self) -> None:
        """SHA-1 of `secret{"event":"x"}`, computed with sha1sum."""
        sign = signatures.douyin_webhook("secret", b'{"event":"x"}')

        assert sign == "cdbd147248cf255d206fdc8f14f04b6585d3bec1"
