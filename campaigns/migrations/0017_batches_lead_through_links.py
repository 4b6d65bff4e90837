import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0016_placements_and_utm")]

    operations = [
        migrations.AddField(
            model_name="codebatch",
            name="link",
            field=models.ForeignKey(
                blank=True,
                help_text="QR codes lead through it; orders with the codes are credited to it.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="batches",
                to="campaigns.channellink",
                verbose_name="channel link",
            ),
        ),
    ]
